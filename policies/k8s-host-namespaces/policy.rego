# METADATA
# title: Pods stay out of the node's namespaces
# description: >-
#   hostNetwork shows the node's network and goes round network policies, hostPID shows and signals every process
#   of the node, hostIPC shares its memory segments.
# custom:
#   id: k8s-host-namespaces
#   level: high
#   fix: Remove hostNetwork, hostPID and hostIPC. Network and node agents ask for a waiver.
#   controls:
#     - SOC2 CC6.6
#     - ISO27001 A.8.22
#     - CIS-Kubernetes-1.8 5.2.3
#     - CIS-Kubernetes-1.8 5.2.4
#     - CIS-Kubernetes-1.8 5.2.5
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.kubernetes.host_namespaces

namespaces := {"hostNetwork": "network", "hostPID": "process", "hostIPC": "IPC"}

deny contains {"message": message, "at": at} if {
	some field, namespace in namespaces
	value := input.pod.spec[field]
	not value in {null, false}
	message := sprintf("the pod joins the node's %s namespace (%s)", [namespace, field])
	at := concat("/", [input.pod.at, field])
}
