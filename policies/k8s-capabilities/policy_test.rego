package sluice.kubernetes.capabilities_test

import data.sluice.kubernetes.capabilities

given(container) := {"pod": {
	"at": "/spec",
	"spec": {},
	"containers": [{"at": "/spec/containers/0", "type": "ephemeral", "spec": container}],
}}

adding(list) := given({"name": "web", "securityContext": {"capabilities": {"add": list, "drop": ["ALL"]}}})

dropping(list) := given({"name": "web", "securityContext": {"capabilities": {"drop": list}}})

test_allows_dropping_all_and_low_ports if {
	document := adding(["NET_BIND_SERVICE"])
	count(capabilities.deny) == 0 with input as document
	count(capabilities.warn) == 0 with input as document
}

test_allows_adding_nothing if {
	every list in [[], null] {
		count(capabilities.deny) == 0 with input as adding(list)
	}
}

test_allows_a_deletion if {
	count(capabilities.deny | capabilities.warn) == 0 with input as {"pod": null}
}

test_denies_an_added_capability if {
	found := capabilities.deny with input as adding(["NET_BIND_SERVICE", "SYS_ADMIN"])
	found == {{
		"message": `container "web" adds capability SYS_ADMIN`,
		"at": "/spec/containers/0/securityContext/capabilities/add/1",
	}}
}

test_denies_every_way_to_write_it if {
	every name in ["ALL", "all", "CAP_SYS_ADMIN", "cap_sys_admin", "sys_admin", " SYS_ADMIN", "CAP_CAP_NET_BIND_SERVICE", ""] {
		count(capabilities.deny) == 1 with input as adding([name])
	}
}

test_allows_every_way_to_write_the_allowed_one if {
	every name in ["NET_BIND_SERVICE", "net_bind_service", "CAP_NET_BIND_SERVICE"] {
		count(capabilities.deny) == 0 with input as adding([name])
	}
}

test_denies_a_capability_that_is_no_text if {
	found := capabilities.deny with input as adding([["SYS_ADMIN"], null])
	{finding.message | some finding in found} == {
		`container "web" adds capability ["SYS_ADMIN"]`,
		`container "web" adds capability null`,
	}
}

test_denies_a_text_for_a_list if {
	found := capabilities.deny with input as adding("SYS_ADMIN")
	found == {{
		"message": `capabilities added to container "web" are not a list`,
		"at": "/spec/containers/0/securityContext/capabilities/add",
	}}
}

test_denies_an_object_for_a_list if {
	count(capabilities.deny) == 1 with input as adding({})
}

test_warns_unless_all_are_dropped if {
	every list in [[], ["NET_RAW"], null, "ALL", ["all"]] {
		found := capabilities.warn with input as dropping(list)
		found == {{
			"message": `container "web" does not drop ALL capabilities`,
			"at": "/spec/containers/0/securityContext/capabilities/drop",
		}}
	}
}

test_warns_without_a_security_context if {
	found := capabilities.warn with input as given({})
	some finding in found
	finding.message == `container "/spec/containers/0" does not drop ALL capabilities`
}
