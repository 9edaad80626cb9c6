package sluice.kubernetes.probes_and_rollout_test

import data.sluice.kubernetes.probes_and_rollout

good := {"name": "web", "readinessProbe": {"httpGet": {"path": "/ready", "port": 80}}}

given(kind, spec, type, container) := {
	"resource": {"id": {"kind": kind, "name": "web"}, "object": {"spec": spec}},
	"pod": {
		"at": "/spec/template/spec",
		"spec": {},
		"containers": [{"at": "/spec/template/spec/containers/0", "type": type, "spec": container}],
	},
}

rollout(kind, spec) := given(kind, spec, "container", good)

rolling(unavailable, replicas) := rollout("Deployment", {
	"replicas": replicas,
	"strategy": {"rollingUpdate": {"maxUnavailable": unavailable}},
})

probing(container) := given("Deployment", {}, "container", container)

test_allows_the_defaults if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		count(probes_and_rollout.deny | probes_and_rollout.warn) == 0 with input as rollout(kind, {})
	}
}

test_allows_null_for_the_defaults if {
	every spec in [{"strategy": null, "replicas": null}, {"strategy": {"type": null, "rollingUpdate": null}}] {
		count(probes_and_rollout.deny | probes_and_rollout.warn) == 0 with input as rollout("Deployment", spec)
	}
}

test_allows_a_deletion if {
	document := {"resource": {"id": {"kind": "Deployment"}, "object": null}, "pod": null}
	count(probes_and_rollout.deny | probes_and_rollout.warn) == 0 with input as document
}

test_allows_init_containers_without_a_probe if {
	count(probes_and_rollout.deny) == 0 with input as given("Deployment", {}, "init", {"name": "setup"})
}

test_denies_a_container_without_a_probe if {
	found := probes_and_rollout.deny with input as probing({"name": "web"})
	found == {{
		"message": `container "web" has no readiness probe`,
		"at": "/spec/template/spec/containers/0/readinessProbe",
	}}
}

test_denies_probes_that_probe_nothing if {
	every probe in [null, {}, true, "httpGet", {"periodSeconds": 5}, {"httpGet": null}] {
		found := probes_and_rollout.deny with input as probing({"readinessProbe": probe})
		{finding.message | some finding in found} == {`container "/spec/template/spec/containers/0" has no readiness probe`}
	}
}

test_allows_recreate_with_one_replica if {
	count(probes_and_rollout.deny) == 0 with input as rollout("Deployment", {"strategy": {"type": "Recreate"}})
}

test_denies_recreate_with_several_replicas if {
	found := probes_and_rollout.deny with input as rollout("Deployment", {"replicas": 3, "strategy": {"type": "Recreate"}})
	found == {{"message": "strategy Recreate stops all 3 replicas at once", "at": "/spec/strategy"}}
}

test_denies_strategies_that_do_not_exist if {
	every strategy in [{"type": "recreate"}, {"type": ""}, {"type": ["Recreate"]}, {"type": false}] {
		found := probes_and_rollout.deny with input as rollout("Deployment", {"strategy": strategy})
		some finding in found
		endswith(finding.message, "does not exist for a Deployment")
		finding.at == "/spec/strategy"
	}
}

test_denies_a_strategy_that_is_no_object if {
	every strategy in ["Recreate", "", ["Recreate"], false] {
		found := probes_and_rollout.deny with input as rollout("Deployment", {"strategy": strategy})
		found == {{
			"message": sprintf("update strategy %s cannot be read", [json.marshal(strategy)]),
			"at": "/spec/strategy",
		}}
	}
}

test_denies_a_rolling_update_that_is_no_object if {
	every rolling in ["100%", 1, [], false] {
		found := probes_and_rollout.deny with input as rollout("Deployment", {"strategy": {"rollingUpdate": rolling}})
		found == {{
			"message": sprintf("rollingUpdate %s cannot be read", [json.marshal(rolling)]),
			"at": "/spec/strategy/rollingUpdate",
		}}
	}
}

test_denies_the_strategy_of_another_kind if {
	found := probes_and_rollout.deny with input as rollout("StatefulSet", {"updateStrategy": {"type": "Recreate"}})
	some finding in found
	finding.message == `update strategy "Recreate" does not exist for a StatefulSet`
}

test_warns_about_updates_by_hand if {
	found := probes_and_rollout.warn with input as rollout("DaemonSet", {"updateStrategy": {"type": "OnDelete"}})
	{finding.at | some finding in found} == {"/spec/updateStrategy"}
}

test_allows_a_share_or_a_count_that_leaves_some if {
	every unavailable in ["0%", "25%", "99%", 0, 1, 2] {
		count(probes_and_rollout.deny) == 0 with input as rolling(unavailable, 3)
	}
}

test_allows_a_count_where_replicas_are_one_or_the_autoscalers if {
	every replicas in [1, 0, null] {
		count(probes_and_rollout.deny) == 0 with input as rolling(1, replicas)
	}
}

test_denies_what_may_stop_every_pod if {
	every unavailable in ["100%", "250%", "0100%", 3, 4] {
		found := probes_and_rollout.deny with input as rolling(unavailable, 3)
		found == {{
			"message": sprintf("maxUnavailable %s may stop every pod at once", [json.marshal(unavailable)]),
			"at": "/spec/strategy/rollingUpdate/maxUnavailable",
		}}
	}
}

test_denies_what_is_neither_share_nor_count if {
	every unavailable in ["1", "", "all", "-1%", "25 %", -1, 0.5, true, [], {}, false] {
		count(probes_and_rollout.deny) == 1 with input as rolling(unavailable, 3)
	}
}

test_denies_the_whole_share_for_one_replica_too if {
	count(probes_and_rollout.deny) == 1 with input as rolling("100%", 1)
}

test_denies_the_whole_share_of_a_daemon_set if {
	spec := {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}
	found := probes_and_rollout.deny with input as rollout("DaemonSet", spec)
	{finding.at | some finding in found} == {"/spec/updateStrategy/rollingUpdate/maxUnavailable"}
}

test_denies_replicas_that_are_no_count if {
	every replicas in ["3", -1, 1.5, true, [], false] {
		found := probes_and_rollout.deny with input as rollout("Deployment", {"replicas": replicas})
		found == {{"message": sprintf("replicas %s is not a count", [json.marshal(replicas)]), "at": "/spec/replicas"}}
	}
}
