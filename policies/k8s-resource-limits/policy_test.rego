package sluice.kubernetes.resource_limits_test

import data.sluice.kubernetes.resource_limits

given(type, container) := {"pod": {
	"at": "/spec",
	"spec": {},
	"containers": [{"at": "/spec/containers/0", "type": type, "spec": container}],
}}

resources(requests, limits) := given("container", {
	"name": "web",
	"resources": {"requests": requests, "limits": limits},
})

places(found) := {finding.at | some finding in found}

test_allows_requests_and_a_memory_limit if {
	document := resources({"cpu": "100m", "memory": "64Mi"}, {"memory": "128Mi"})
	count(resource_limits.deny) == 0 with input as document
}

test_allows_limits_that_stand_in_for_requests if {
	every requests in [{}, null, {"cpu": null}] {
		document := resources(requests, {"cpu": 1, "memory": "1e8"})
		count(resource_limits.deny) == 0 with input as document
	}
}

test_allows_every_way_to_write_an_amount if {
	every amount in [1, 0.5, "1", "+1", "1.5Gi", ".5", "1.", "1E3", "12e6", "1E", "500000000n", "10u", "1Ei"] {
		document := resources({"cpu": amount, "memory": amount}, {"memory": amount})
		count(resource_limits.deny) == 0 with input as document
	}
}

test_allows_ephemeral_containers_without if {
	count(resource_limits.deny) == 0 with input as given("ephemeral", {"name": "debug"})
}

test_allows_a_deletion if {
	count(resource_limits.deny) == 0 with input as {"pod": null}
}

test_denies_a_container_without_resources if {
	every type in ["container", "init"] {
		found := resource_limits.deny with input as given(type, {"name": "web"})
		found == {
			{
				"message": `container "web" has no valid cpu request`,
				"at": "/spec/containers/0/resources/requests/cpu",
			},
			{
				"message": `container "web" has no valid memory request`,
				"at": "/spec/containers/0/resources/requests/memory",
			},
			{
				"message": `container "web" has no valid memory limit`,
				"at": "/spec/containers/0/resources/limits/memory",
			},
		}
	}
}

test_denies_amounts_that_are_none if {
	every amount in ["0", "0Mi", "0.0", "0e9", 0, -1, "-1", "", "much", "1 Gi", "1gi", "1KI", "1.2.3", "Mi", ".", true, [], {}, "1Mi\n"] {
		found := resource_limits.deny with input as resources({"cpu": amount, "memory": amount}, {"memory": amount})
		count(found) == 3
	}
}

test_denies_a_request_of_zero_beside_a_good_limit if {
	found := resource_limits.deny with input as resources({"cpu": "0", "memory": "1Mi"}, {"cpu": "1", "memory": "1Mi"})
	places(found) == {"/spec/containers/0/resources/requests/cpu"}
}

test_denies_resources_of_the_wrong_type_without_a_name if {
	found := resource_limits.deny with input as given("container", {"resources": "plenty"})
	{finding.message | some finding in found} == {
		`container "/spec/containers/0" has no valid cpu request`,
		`container "/spec/containers/0" has no valid memory request`,
		`container "/spec/containers/0" has no valid memory limit`,
	}
}
