package sluice.kubernetes.host_namespaces_test

import data.sluice.kubernetes.host_namespaces

given(spec) := {"pod": {"at": "/spec/template/spec", "spec": spec, "containers": []}}

test_allows_absent_null_and_false if {
	count(host_namespaces.deny) == 0 with input as given({"hostNetwork": false, "hostPID": null})
}

test_allows_a_deletion if {
	count(host_namespaces.deny) == 0 with input as {"pod": null}
}

test_denies_each_namespace if {
	found := host_namespaces.deny with input as given({"hostNetwork": true, "hostPID": true, "hostIPC": true})
	found == {
		{
			"message": "the pod joins the node's network namespace (hostNetwork)",
			"at": "/spec/template/spec/hostNetwork",
		},
		{
			"message": "the pod joins the node's process namespace (hostPID)",
			"at": "/spec/template/spec/hostPID",
		},
		{
			"message": "the pod joins the node's IPC namespace (hostIPC)",
			"at": "/spec/template/spec/hostIPC",
		},
	}
}

test_denies_values_of_other_types if {
	every value in ["true", "", 0, 1, {}, []] {
		count(host_namespaces.deny) == 1 with input as given({"hostPID": value})
	}
}
