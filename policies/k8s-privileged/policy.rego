# METADATA
# title: Containers are not privileged
# description: >-
#   A privileged container can do everything its node can, and so can whoever breaks into it.
#   A HostProcess container is the same on a Windows node.
# custom:
#   id: k8s-privileged
#   level: high
#   fix: Remove securityContext.privileged (on Windows hostProcess). Node agents ask for a waiver.
#   controls: [SOC2 CC6.8, ISO27001 A.8.9, CIS-Kubernetes-1.8 5.2.2]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.kubernetes.privileged

# Only these values are harmless: the text "true" is not, whatever a later reader makes of it.
harmless := {null, false}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	value := container.spec.securityContext.privileged
	not value in harmless
	message := sprintf("container %q is privileged", [called(container)])
	at := concat("/", [container.at, "securityContext", "privileged"])
}

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	value := container.spec.securityContext.windowsOptions.hostProcess
	not value in harmless
	message := sprintf("container %q is a HostProcess container", [called(container)])
	at := concat("/", [container.at, "securityContext", "windowsOptions", "hostProcess"])
}

deny contains {"message": "the pod runs HostProcess containers", "at": at} if {
	value := input.pod.spec.securityContext.windowsOptions.hostProcess
	not value in harmless
	at := concat("/", [input.pod.at, "securityContext", "windowsOptions", "hostProcess"])
}

# A container without a usable name is called by its place, so that no finding is lost.
called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
