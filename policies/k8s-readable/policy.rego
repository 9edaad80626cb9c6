# METADATA
# title: Rules can read what they judge
# description: >-
#   A list where an object belongs, or a text where a list belongs, would hide content from every other rule.
#   The API server refuses such objects too, later and with less of an explanation.
# custom:
#   id: k8s-readable
#   level: high
#   waivable: false
#   fix: Write each object as its own document, with the types that the Kubernetes reference names.
#   controls: [SOC2 CC8.1, ISO27001 A.8.9]
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
#       - List
#       - PodList
#       - PodTemplateList
#       - ReplicationControllerList
#       - DeploymentList
#       - StatefulSetList
#       - DaemonSetList
#       - ReplicaSetList
#       - JobList
#       - CronJobList
#       - SecretList
#       - ConfigMapList
#       - PersistentVolumeList
#       - RoleList
#       - RoleBindingList
#       - ClusterRoleList
#       - ClusterRoleBindingList
package sluice.kubernetes.readable

# Keys of a pod spec and of a container, with the types they may have. Absent is as good as null.
pod_types := {
	"initContainers": {"array", "null"},
	"ephemeralContainers": {"array", "null"},
	"volumes": {"array", "null"},
	"securityContext": {"object", "null"},
}

container_types := [
	{"path": ["name"], "types": {"string"}},
	{"path": ["securityContext"], "types": {"object", "null"}},
	{"path": ["securityContext", "capabilities"], "types": {"object", "null"}},
	{"path": ["securityContext", "windowsOptions"], "types": {"object", "null"}},
	{"path": ["resources"], "types": {"object", "null"}},
	{"path": ["resources", "requests"], "types": {"object", "null"}},
	{"path": ["resources", "limits"], "types": {"object", "null"}},
]

deny contains {"message": message, "at": "/items"} if {
	is_list
	input.resource.object != null
	message := sprintf("%s hides its items from the rules", [input.resource.id.kind])
}

deny contains {"message": "the pod has no list of containers", "at": at} if {
	not is_list
	input.resource.object != null
	not has_containers
	at := pod_at
}

deny contains {"message": message, "at": at} if {
	is_object(input.pod.spec)
	some key, types in pod_types
	type := type_name(object.get(input.pod.spec, key, null))
	not type in types
	message := sprintf("%s of the pod is of type %s", [key, type])
	at := concat("/", [input.pod.at, key])
}

deny contains {"message": message, "at": at} if {
	some key in ["containers", "initContainers", "ephemeralContainers", "volumes"]
	some index, item in input.pod.spec[key]
	not is_object(item)
	message := sprintf("item %v of %s is of type %s", [index, key, type_name(item)])
	at := sprintf("%s/%s/%v", [input.pod.at, key, index])
}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	some expected in container_types
	type := type_name(object.get(container.spec, expected.path, null))
	not type in expected.types
	message := sprintf("%s of the container at %s is of type %s", [concat(".", expected.path), container.at, type])
	at := concat("/", array.concat([container.at], expected.path))
}

has_containers if {
	is_array(input.pod.spec.containers)
	count(input.pod.spec.containers) > 0
}

is_list if endswith(input.resource.id.kind, "List")

pod_at := input.pod.at if input.pod != null

else := "/spec"
