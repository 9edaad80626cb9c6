package sluice.kubernetes.dangerous_rbac_test

import data.sluice.kubernetes.dangerous_rbac

given(kind, object) := {"resource": {"id": {"kind": kind, "name": "ops"}, "object": object}}

role(kind, rule) := given(kind, {"rules": [rule]})

bound(name, subject) := given("ClusterRoleBinding", {
	"roleRef": {"kind": "ClusterRole", "name": name},
	"subjects": [{"kind": "Group", "name": subject}],
})

reading := {"apiGroups": [""], "resources": ["pods", "deployments"], "verbs": ["get", "list", "watch"]}

places(found) := {finding.at | some finding in found}

test_allows_named_things if {
	every kind in ["Role", "ClusterRole"] {
		count(dangerous_rbac.deny) == 0 with input as role(kind, reading)
	}
}

test_allows_no_rules if {
	every object in [{}, {"rules": null}, {"rules": []}, null] {
		count(dangerous_rbac.deny) == 0 with input as given("ClusterRole", object)
	}
}

test_allows_a_place_of_the_api_server if {
	rule := {"nonResourceURLs": ["/healthz/*", "/metrics"], "verbs": ["get"]}
	count(dangerous_rbac.deny) == 0 with input as role("ClusterRole", rule)
}

test_allows_listing_secrets_of_one_namespace if {
	rule := {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}
	count(dangerous_rbac.deny) == 0 with input as role("Role", rule)
}

test_allows_getting_a_secret_by_name if {
	rule := {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}
	count(dangerous_rbac.deny) == 0 with input as role("ClusterRole", rule)
}

test_allows_a_binding_to_a_small_role if {
	count(dangerous_rbac.deny) == 0 with input as bound("view", "ops")
}

test_allows_the_deletion_of_a_binding if {
	count(dangerous_rbac.deny) == 0 with input as given("ClusterRoleBinding", null)
}

test_denies_cluster_admin_however_it_is_bound if {
	every kind in ["RoleBinding", "ClusterRoleBinding"] {
		every name in ["cluster-admin", "Cluster-Admin"] {
			found := dangerous_rbac.deny with input as given(kind, {"roleRef": {"kind": "ClusterRole", "name": name}})
			found == {{"message": sprintf("%s \"ops\" grants %s", [kind, name]), "at": "/roleRef"}}
		}
	}
}

test_denies_a_binding_that_names_no_role if {
	every object in [{}, {"roleRef": "cluster-admin"}, {"roleRef": null}, {"roleRef": {"name": ["cluster-admin"]}}] {
		found := dangerous_rbac.deny with input as given("RoleBinding", object)
		found == {{"message": `RoleBinding "ops" names no role`, "at": "/roleRef"}}
	}
}

test_denies_a_binding_to_everybody if {
	found := dangerous_rbac.deny with input as bound("view", "system:unauthenticated")
	found == {{
		"message": `ClusterRoleBinding "ops" grants its role to system:unauthenticated`,
		"at": "/subjects/0/name",
	}}
}

test_denies_wildcards_in_each_list if {
	every list in ["apiGroups", "resources", "verbs"] {
		found := dangerous_rbac.deny with input as role("Role", object.union(reading, {list: ["*"]}))
		found == {{
			"message": sprintf(`Role "ops" has the wildcard "*" in %s`, [list]),
			"at": sprintf("/rules/0/%s", [list]),
		}}
	}
}

test_denies_wildcards_of_subresources if {
	every resource in ["*/*", "pods/*", "*/scale"] {
		rule := object.union(reading, {"resources": [resource]})
		count(dangerous_rbac.deny) == 1 with input as role("ClusterRole", rule)
	}
}

test_denies_all_places_of_the_api_server if {
	every place in ["*", "/*"] {
		found := dangerous_rbac.deny with input as role("ClusterRole", {"nonResourceURLs": [place], "verbs": ["get"]})
		places(found) == {"/rules/0/nonResourceURLs"}
	}
}

test_denies_verbs_that_climb if {
	every verb in ["escalate", "bind", "impersonate", "Impersonate"] {
		found := dangerous_rbac.deny with input as role("Role", object.union(reading, {"verbs": ["get", verb]}))
		found == {{"message": sprintf("Role \"ops\" grants the verb %s", [verb]), "at": "/rules/0/verbs"}}
	}
}

test_denies_reading_all_secrets if {
	every verb in ["list", "watch"] {
		rule := {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", verb]}
		found := dangerous_rbac.deny with input as role("ClusterRole", rule)
		found == {{
			"message": sprintf("ClusterRole \"ops\" can %s the Secrets of all namespaces", [verb]),
			"at": "/rules/0/verbs",
		}}
	}
}

test_denies_an_aggregation_of_everything if {
	every selector in [{}, {"matchLabels": {}}, {"matchLabels": null, "matchExpressions": []}, null, "all"] {
		found := dangerous_rbac.deny with input as given("ClusterRole", {"aggregationRule": {"clusterRoleSelectors": [selector]}})
		places(found) == {"/aggregationRule/clusterRoleSelectors/0"}
	}
}

test_allows_an_aggregation_by_label if {
	selectors := [{"matchLabels": {"team": "ops"}}]
	count(dangerous_rbac.deny) == 0 with input as given("ClusterRole", {"aggregationRule": {"clusterRoleSelectors": selectors}})
}

test_denies_rules_that_are_no_list if {
	every rules in ["*", {}, {"all": {}}, true, false] {
		found := dangerous_rbac.deny with input as given("Role", {"rules": rules})
		found == {{"message": `rules of Role "ops" are not a list`, "at": "/rules"}}
	}
}

test_denies_rules_that_cannot_be_read if {
	every rule in [
		"*",
		null,
		{"verbs": "get"},
		{"verbs": {"get": true}},
		{"resources": [["secrets"]]},
		{"apiGroups": [null]},
		{"nonResourceURLs": "/metrics"},
	] {
		found := dangerous_rbac.deny with input as role("Role", rule)
		found == {{"message": `rule 0 of Role "ops" cannot be read`, "at": "/rules/0"}}
	}
}
