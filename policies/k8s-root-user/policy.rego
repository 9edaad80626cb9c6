# METADATA
# title: Containers do not run as root
# description: >-
#   Root inside a container is root on the node as soon as anything around it leaks. A container passes with
#   runAsNonRoot: true or a runAsUser above 0; what the container says wins over what its pod says.
# custom:
#   id: k8s-root-user
#   level: medium
#   fix: "Set securityContext.runAsNonRoot: true and, if the image names no user, runAsUser above 0."
#   controls: [SOC2 CC6.3, ISO27001 A.8.2, CIS-Kubernetes-1.8 5.2.7]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.kubernetes.root_user

# The API server accepts user ids from 0 to this one.
largest_user := 2147483647

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	user := setting(container, "runAsUser")
	user != null
	not ordinary(user)
	message := sprintf("container %q runs as user %s", [called(container), json.marshal(user)])
	at := place(container, "runAsUser")
}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	setting(container, "runAsUser") == null
	setting(container, "runAsNonRoot") != true
	message := sprintf("container %q may run as root", [called(container)])
	at := place(container, "runAsNonRoot")
}

ordinary(user) if {
	is_number(user)
	user == floor(user)
	user > 0
	user <= largest_user
}

# The container's own value, else the pod's, else null. An explicit null is no value.
setting(container, field) := container.spec.securityContext[field] if {
	has(container.spec, field)
} else := input.pod.spec.securityContext[field] if {
	has(input.pod.spec, field)
} else := null

# Where the value that decided stands, or where it belongs.
place(container, field) := concat("/", [input.pod.at, "securityContext", field]) if {
	not has(container.spec, field)
	has(input.pod.spec, field)
} else := concat("/", [container.at, "securityContext", field])

has(spec, field) if spec.securityContext[field] != null

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
