package sluice.kubernetes.privileged_test

import data.sluice.kubernetes.privileged

place := "/spec/template/spec/containers/0"

given(type, container) := {"pod": {
	"at": "/spec/template/spec",
	"spec": {},
	"containers": [{"at": place, "type": type, "spec": container}],
}}

test_allows_a_container_that_says_nothing if {
	count(privileged.deny) == 0 with input as given("container", {"name": "web"})
}

test_allows_false_and_null if {
	every value in [false, null] {
		container := {"name": "web", "securityContext": {"privileged": value}}
		count(privileged.deny) == 0 with input as given("container", container)
	}
}

test_allows_a_deletion if {
	count(privileged.deny) == 0 with input as {"pod": null}
}

test_denies_containers_of_every_type if {
	every type in ["container", "init", "ephemeral"] {
		container := {"name": "web", "securityContext": {"privileged": true}}
		found := privileged.deny with input as given(type, container)
		found == {{
			"message": `container "web" is privileged`,
			"at": "/spec/template/spec/containers/0/securityContext/privileged",
		}}
	}
}

test_denies_values_of_other_types if {
	every value in ["true", "yes", "", 1, 0, {}, []] {
		container := {"name": "web", "securityContext": {"privileged": value}}
		count(privileged.deny) == 1 with input as given("container", container)
	}
}

test_denies_a_container_without_a_name if {
	every container in [{"securityContext": {"privileged": true}}, {"name": 1, "securityContext": {"privileged": true}}] {
		found := privileged.deny with input as given("container", container)
		some finding in found
		finding.message == `container "/spec/template/spec/containers/0" is privileged`
	}
}

test_denies_host_process_containers if {
	container := {"name": "web", "securityContext": {"windowsOptions": {"hostProcess": true}}}
	found := privileged.deny with input as given("container", container)
	found == {{
		"message": `container "web" is a HostProcess container`,
		"at": "/spec/template/spec/containers/0/securityContext/windowsOptions/hostProcess",
	}}
}

test_denies_host_process_pods if {
	spec := {"securityContext": {"windowsOptions": {"hostProcess": "true"}}}
	found := privileged.deny with input as {"pod": {"at": "/spec", "spec": spec, "containers": []}}
	found == {{"message": "the pod runs HostProcess containers", "at": "/spec/securityContext/windowsOptions/hostProcess"}}
}
