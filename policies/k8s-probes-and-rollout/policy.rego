# METADATA
# title: A rollout keeps something running
# description: >-
#   Without a readiness probe a rollout counts a broken pod as done and takes the next good one away; a strategy
#   that stops every pod at once is an outage by plan. Workloads that must stop first keep one replica.
# custom:
#   id: k8s-probes-and-rollout
#   level: medium
#   fix: Give each container a readinessProbe, and roll with maxUnavailable below 100% and below the replicas.
#   controls: [SOC2 A1.2, ISO27001 A.8.14]
#   match: {kinds: [Deployment, StatefulSet, DaemonSet]}
package sluice.kubernetes.probes_and_rollout

handlers := {"exec", "grpc", "httpGet", "tcpSocket"}

# The strategies of each kind. Both names of the key are the API's own.
strategies := {
	"Deployment": {"key": "strategy", "types": {"RollingUpdate", "Recreate"}},
	"StatefulSet": {"key": "updateStrategy", "types": {"RollingUpdate", "OnDelete"}},
	"DaemonSet": {"key": "updateStrategy", "types": {"RollingUpdate", "OnDelete"}},
}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	container.type == "container"
	not has_probe(container.spec)
	message := sprintf("container %q has no readiness probe", [called(container)])
	at := concat("/", [container.at, "readinessProbe"])
}

deny contains {"message": message, "at": strategy_at} if {
	not type in strategies[input.resource.id.kind].types
	message := sprintf("update strategy %s does not exist for a %s", [json.marshal(type), input.resource.id.kind])
}

deny contains {"message": message, "at": strategy_at} if {
	not type_name(strategy) in {"object", "null"}
	message := sprintf("update strategy %s cannot be read", [json.marshal(strategy)])
}

deny contains {"message": message, "at": at} if {
	not type_name(strategy.rollingUpdate) in {"object", "null"}
	message := sprintf("rollingUpdate %s cannot be read", [json.marshal(strategy.rollingUpdate)])
	at := concat("/", [strategy_at, "rollingUpdate"])
}

deny contains {"message": message, "at": strategy_at} if {
	type == "Recreate"
	replicas > 1
	message := sprintf("strategy Recreate stops all %v replicas at once", [replicas])
}

deny contains {"message": message, "at": at} if {
	unavailable != null
	not tolerable(unavailable)
	message := sprintf("maxUnavailable %s may stop every pod at once", [json.marshal(unavailable)])
	at := concat("/", [strategy_at, "rollingUpdate", "maxUnavailable"])
}

deny contains {"message": message, "at": "/spec/replicas"} if {
	not whole(replicas)
	message := sprintf("replicas %s is not a count", [json.marshal(replicas)])
}

warn contains {"message": message, "at": strategy_at} if {
	type == "OnDelete"
	message := "a release reaches running pods only when someone deletes them (strategy OnDelete)"
}

has_probe(spec) if {
	some handler in handlers
	is_object(spec.readinessProbe[handler])
}

strategy := value if value := input.resource.object.spec[strategies[input.resource.id.kind].key]

else := null

strategy_at := concat("/", ["/spec", strategies[input.resource.id.kind].key])

# RollingUpdate is what an absent type means.
type := strategy.type if strategy.type != null

else := "RollingUpdate"

unavailable := value if value := strategy.rollingUpdate.maxUnavailable

else := null

# Absent replicas are 1, or an autoscaler's affair.
replicas := input.resource.object.spec.replicas if input.resource.object.spec.replicas != null

else := 1

whole(number) if {
	is_number(number)
	number >= 0
	number == floor(number)
}

# A share below 100 %, or a count below the number of pods where several are asked for.
tolerable(value) if {
	is_string(value)
	regex.match(`^[0-9]{1,3}%$`, value)
	to_number(trim_suffix(value, "%")) < 100
}

tolerable(value) if {
	whole(value)
	value < replicas
}

tolerable(value) if {
	whole(value)
	replicas in {0, 1}
}

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
