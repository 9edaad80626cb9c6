package sluice.kubernetes.readable_test

import data.sluice.kubernetes.readable

given(spec) := {
	"resource": {"id": {"kind": "Deployment", "name": "web"}, "object": {"kind": "Deployment"}},
	"pod": {
		"at": "/spec/template/spec",
		"spec": spec,
		"containers": [{"at": place, "type": "container", "spec": container} |
			is_array(spec.containers)
			some index, container in spec.containers
			is_object(container)
			place := sprintf("/spec/template/spec/containers/%v", [index])
		],
	},
}

places(found) := {finding.at | some finding in found}

test_allows_a_pod_of_the_right_types if {
	spec := {
		"containers": [{"name": "web", "securityContext": {"capabilities": {}}, "resources": {"limits": {}}}],
		"initContainers": null,
		"volumes": [],
	}
	count(readable.deny) == 0 with input as given(spec)
}

test_allows_a_deletion if {
	document := {"resource": {"id": {"kind": "Deployment"}, "object": null}, "pod": null}
	count(readable.deny) == 0 with input as document
}

test_allows_the_deletion_of_a_list if {
	document := {"resource": {"id": {"kind": "PodList"}, "object": null}, "pod": null}
	count(readable.deny) == 0 with input as document
}

test_denies_a_list_of_objects if {
	document := {"resource": {"id": {"kind": "SecretList"}, "object": {"items": []}}, "pod": null}
	found := readable.deny with input as document
	found == {{"message": "SecretList hides its items from the rules", "at": "/items"}}
}

test_denies_a_workload_without_a_pod if {
	document := {"resource": {"id": {"kind": "Job"}, "object": {"kind": "Job"}}, "pod": null}
	found := readable.deny with input as document
	found == {{"message": "the pod has no list of containers", "at": "/spec"}}
}

test_denies_containers_that_are_a_text if {
	found := readable.deny with input as given({"containers": "web"})
	places(found) == {"/spec/template/spec"}
}

test_denies_lists_of_the_wrong_type if {
	spec := {"containers": [{"name": "web"}], "initContainers": {}, "ephemeralContainers": "debug", "volumes": {}, "securityContext": []}
	found := readable.deny with input as given(spec)
	places(found) == {
		"/spec/template/spec/initContainers",
		"/spec/template/spec/ephemeralContainers",
		"/spec/template/spec/volumes",
		"/spec/template/spec/securityContext",
	}
}

test_denies_an_empty_list_of_containers if {
	found := readable.deny with input as given({"containers": []})
	places(found) == {"/spec/template/spec"}
}

test_denies_a_volume_that_is_a_text if {
	found := readable.deny with input as given({"containers": [{"name": "web"}], "volumes": ["/run"]})
	found == {{"message": "item 0 of volumes is of type string", "at": "/spec/template/spec/volumes/0"}}
}

test_denies_a_container_that_is_a_text if {
	found := readable.deny with input as given({"containers": ["web"]})
	found == {{"message": "item 0 of containers is of type string", "at": "/spec/template/spec/containers/0"}}
}

test_denies_a_security_context_that_is_a_text if {
	found := readable.deny with input as given({"containers": [{"name": "web", "securityContext": "privileged"}]})
	places(found) == {"/spec/template/spec/containers/0/securityContext"}
}

test_denies_capabilities_and_resources_that_are_lists if {
	container := {"name": "web", "securityContext": {"capabilities": ["ALL"]}, "resources": {"limits": []}}
	found := readable.deny with input as given({"containers": [container]})
	places(found) == {
		"/spec/template/spec/containers/0/securityContext/capabilities",
		"/spec/template/spec/containers/0/resources/limits",
	}
}

test_denies_a_container_without_a_name if {
	found := readable.deny with input as given({"containers": [{"image": "web:1"}]})
	places(found) == {"/spec/template/spec/containers/0/name"}
}
