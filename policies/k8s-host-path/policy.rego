# METADATA
# title: Volumes do not open the node's file system
# description: >-
#   A hostPath volume shows a folder of the node inside the container: the kubelet's credentials, the container
#   runtime's socket, other pods' volumes. A PersistentVolume with hostPath is the same by a detour.
# custom:
#   id: k8s-host-path
#   level: high
#   fix: Use a configMap, emptyDir, projected volume or a claim on a storage class. Node agents ask for a waiver.
#   controls: [SOC2 CC6.1, ISO27001 A.8.3, CIS-Kubernetes-1.8 5.2.12]
#   match:
#     kinds:
#       - Pod
#       - PodTemplate
#       - ReplicationController
#       - Deployment
#       - StatefulSet
#       - DaemonSet
#       - ReplicaSet
#       - Job
#       - CronJob
#       - PersistentVolume
package sluice.kubernetes.host_path

deny contains {"message": message, "at": at} if {
	some index, volume in input.pod.spec.volumes
	volume.hostPath != null
	message := sprintf("volume %q opens %s of the node", [called(index, volume), folder(volume.hostPath)])
	at := sprintf("%s/volumes/%v/hostPath", [input.pod.at, index])
}

deny contains {"message": message, "at": at} if {
	some index, volume in input.pod.spec.volumes
	not is_object(volume)
	message := sprintf("volume %v cannot be read", [index])
	at := sprintf("%s/volumes/%v", [input.pod.at, index])
}

deny contains {"message": "volumes is not a list", "at": at} if {
	volumes := input.pod.spec.volumes
	not type_name(volumes) in {"array", "null"}
	at := concat("/", [input.pod.at, "volumes"])
}

deny contains {"message": message, "at": "/spec/hostPath"} if {
	input.resource.id.kind == "PersistentVolume"
	source := input.resource.object.spec.hostPath
	source != null
	message := sprintf("PersistentVolume %q opens %s of the node", [input.resource.id.name, folder(source)])
}

# A volume without a usable name is called by its number, so that no finding is lost.
called(index, volume) := volume.name if is_string(volume.name)

else := sprintf("%v", [index])

folder(source) := source.path if is_string(source.path)

else := "a folder"
