# METADATA
# title: Containers say what they need and how much they may take
# description: >-
#   Without requests the scheduler guesses, without a memory limit one leak takes its neighbours down. A limit
#   stands in for its request, as Kubernetes reads it. Ephemeral containers may not have either and are left out.
# custom:
#   id: k8s-resource-limits
#   level: medium
#   fix: Set resources.requests.cpu, resources.requests.memory and resources.limits.memory, each above 0.
#   controls: [SOC2 A1.1, ISO27001 A.8.6]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.kubernetes.resource_limits

# Kubernetes' quantity: digits with at most one point, then nothing, an exponent or a unit.
quantity := `^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$`

deny contains {"message": message, "at": at} if {
	some container in judged
	some resource in ["cpu", "memory"]
	not amount(container.spec, "requests", resource)
	not stands_in(container.spec, resource)
	message := sprintf("container %q has no valid %s request", [called(container), resource])
	at := concat("/", [container.at, "resources", "requests", resource])
}

deny contains {"message": message, "at": at} if {
	some container in judged
	not amount(container.spec, "limits", "memory")
	message := sprintf("container %q has no valid memory limit", [called(container)])
	at := concat("/", [container.at, "resources", "limits", "memory"])
}

judged := [container | some container in input.pod.containers; container.type != "ephemeral"]

# True for an amount above zero: "0" asks for nothing.
amount(spec, section, resource) if {
	value := spec.resources[section][resource]
	is_number(value)
	value > 0
}

amount(spec, section, resource) if {
	value := spec.resources[section][resource]
	is_string(value)
	regex.match(quantity, value)
	regex.match(`^[^eE]*[1-9]`, value)
}

# A request that is not written at all takes the limit's amount. One that is written must be good itself.
stands_in(spec, resource) if {
	object.get(spec, ["resources", "requests", resource], null) == null
	amount(spec, "limits", resource)
}

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
