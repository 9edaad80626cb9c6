package sluice.kubernetes.root_user_test

import data.sluice.kubernetes.root_user

given(pod_context, context) := {"pod": {
	"at": "/spec",
	"spec": {"securityContext": pod_context},
	"containers": [{
		"at": "/spec/initContainers/0",
		"type": "init",
		"spec": {"name": "web", "securityContext": context},
	}],
}}

test_allows_non_root_by_the_pod if {
	count(root_user.deny) == 0 with input as given({"runAsNonRoot": true}, {})
}

test_allows_non_root_by_the_container if {
	count(root_user.deny) == 0 with input as given({"runAsNonRoot": false}, {"runAsNonRoot": true})
}

test_allows_an_ordinary_user if {
	count(root_user.deny) == 0 with input as given({}, {"runAsUser": 1000, "runAsNonRoot": false})
}

test_allows_a_container_that_corrects_its_pod if {
	count(root_user.deny) == 0 with input as given({"runAsUser": 0}, {"runAsUser": 1000})
}

test_allows_null_at_the_container_and_a_user_at_the_pod if {
	count(root_user.deny) == 0 with input as given({"runAsUser": 1000}, {"runAsUser": null})
}

test_allows_a_deletion if {
	count(root_user.deny) == 0 with input as {"pod": null}
}

test_denies_a_container_that_says_nothing if {
	found := root_user.deny with input as given({}, {})
	found == {{
		"message": `container "web" may run as root`,
		"at": "/spec/initContainers/0/securityContext/runAsNonRoot",
	}}
}

test_denies_without_any_security_context if {
	document := {"pod": {"at": "/spec", "spec": {}, "containers": [{"at": "/spec/containers/0", "spec": {}}]}}
	found := root_user.deny with input as document
	found == {{
		"message": `container "/spec/containers/0" may run as root`,
		"at": "/spec/containers/0/securityContext/runAsNonRoot",
	}}
}

test_denies_a_container_that_takes_back_what_its_pod_says if {
	found := root_user.deny with input as given({"runAsNonRoot": true}, {"runAsNonRoot": false})
	some finding in found
	finding.at == "/spec/initContainers/0/securityContext/runAsNonRoot"
}

test_denies_user_0_of_the_container if {
	found := root_user.deny with input as given({"runAsUser": 1000, "runAsNonRoot": true}, {"runAsUser": 0})
	found == {{
		"message": `container "web" runs as user 0`,
		"at": "/spec/initContainers/0/securityContext/runAsUser",
	}}
}

test_denies_user_0_of_the_pod_at_the_pod if {
	found := root_user.deny with input as given({"runAsUser": 0}, {"runAsNonRoot": true})
	found == {{"message": `container "web" runs as user 0`, "at": "/spec/securityContext/runAsUser"}}
}

test_denies_non_root_false_of_the_pod_at_the_pod if {
	found := root_user.deny with input as given({"runAsNonRoot": false}, {})
	found == {{"message": `container "web" may run as root`, "at": "/spec/securityContext/runAsNonRoot"}}
}

test_denies_users_that_are_no_user if {
	every user in ["0", "1000", -1, 0.5, 4294967296, true, []] {
		count(root_user.deny) == 1 with input as given({}, {"runAsUser": user})
	}
}

test_denies_non_root_as_a_text if {
	count(root_user.deny) == 1 with input as given({}, {"runAsNonRoot": "true"})
}
