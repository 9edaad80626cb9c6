# METADATA
# title: Containers add no capabilities and drop the others
# description: >-
#   Linux capabilities are root in slices; SYS_ADMIN alone is most of it. Only NET_BIND_SERVICE may be added.
#   A container that does not drop ALL keeps its runtime's default set, which is a warning.
# custom:
#   id: k8s-capabilities
#   level: high
#   fix: "Set securityContext.capabilities to {drop: [ALL]}, with add: [NET_BIND_SERVICE] for ports below 1024."
#   controls: [SOC2 CC6.3, ISO27001 A.8.2, CIS-Kubernetes-1.8 5.2.9]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.kubernetes.capabilities

# The place to edit: what a container may add, in capitals and without CAP_.
may_add := {"NET_BIND_SERVICE"}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	some index, capability in container.spec.securityContext.capabilities.add
	not allowed(capability)
	message := sprintf("container %q adds capability %s", [called(container), shown(capability)])
	at := sprintf("%s/securityContext/capabilities/add/%v", [container.at, index])
}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	added := container.spec.securityContext.capabilities.add
	not type_name(added) in {"array", "null"}
	message := sprintf("capabilities added to container %q are not a list", [called(container)])
	at := concat("/", [container.at, "securityContext", "capabilities", "add"])
}

warn contains {"message": message, "at": at} if {
	some container in input.pod.containers
	not drops_all(container.spec)
	message := sprintf("container %q does not drop ALL capabilities", [called(container)])
	at := concat("/", [container.at, "securityContext", "capabilities", "drop"])
}

# Runtimes differ in what they make of "cap_sys_admin" or "sys_admin": here they are all the same.
allowed(capability) if {
	is_string(capability)
	trim_prefix(upper(capability), "CAP_") in may_add
}

shown(capability) := capability if is_string(capability)

else := json.marshal(capability)

drops_all(spec) if "ALL" in spec.securityContext.capabilities.drop

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
