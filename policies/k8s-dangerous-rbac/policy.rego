# METADATA
# title: Roles grant what is needed, by name
# description: >-
#   Wildcards grant what does not exist yet. escalate, bind and impersonate turn any role into every role. Who may
#   list Secrets in all namespaces holds all their passwords; list and watch return the values.
# custom:
#   id: k8s-dangerous-rbac
#   level: critical
#   fix: Name verbs, resources and API groups one by one, in a Role of one namespace where that is enough.
#   controls:
#     - SOC2 CC6.3
#     - ISO27001 A.5.18
#     - ISO27001 A.8.2
#     - CIS-Kubernetes-1.8 5.1.1
#     - CIS-Kubernetes-1.8 5.1.2
#     - CIS-Kubernetes-1.8 5.1.3
#     - CIS-Kubernetes-1.8 5.1.8
#   match: {kinds: [Role, ClusterRole, RoleBinding, ClusterRoleBinding]}
package sluice.kubernetes.dangerous_rbac

# The place to edit: roles nobody is bound to, verbs nobody is given, subjects that are everybody.
forbidden_roles := {"cluster-admin"}

forbidden_verbs := {"escalate", "bind", "impersonate"}

everybody := {"system:anonymous", "system:unauthenticated"}

lists := ["apiGroups", "resources", "verbs", "nonResourceURLs"]

deny contains {"message": message, "at": "/roleRef"} if {
	is_binding
	is_string(input.resource.object.roleRef.name)
	lower(input.resource.object.roleRef.name) in forbidden_roles
	message := sprintf("%s %q grants %s", [kind, input.resource.id.name, input.resource.object.roleRef.name])
}

deny contains {"message": message, "at": "/roleRef"} if {
	is_binding
	input.resource.object != null
	not names_role
	message := sprintf("%s %q names no role", [kind, input.resource.id.name])
}

deny contains {"message": message, "at": at} if {
	is_binding
	some index, subject in input.resource.object.subjects
	subject.name in everybody
	message := sprintf("%s %q grants its role to %s", [kind, input.resource.id.name, subject.name])
	at := sprintf("/subjects/%v/name", [index])
}

deny contains {"message": message, "at": at} if {
	some index, rule in rules
	some list in ["apiGroups", "resources", "verbs"]
	some value in rule[list]
	is_string(value)
	contains(value, "*")
	message := sprintf("%s %q has the wildcard %q in %s", [kind, input.resource.id.name, value, list])
	at := sprintf("/rules/%v/%s", [index, list])
}

# "/healthz/*" is a place, "/*" is everything.
deny contains {"message": message, "at": at} if {
	some index, rule in rules
	some value in rule.nonResourceURLs
	value in {"*", "/*"}
	message := sprintf("%s %q has the wildcard %q in nonResourceURLs", [kind, input.resource.id.name, value])
	at := sprintf("/rules/%v/nonResourceURLs", [index])
}

deny contains {"message": message, "at": at} if {
	some index, rule in rules
	some verb in rule.verbs
	is_string(verb)
	lower(verb) in forbidden_verbs
	message := sprintf("%s %q grants the verb %s", [kind, input.resource.id.name, verb])
	at := sprintf("/rules/%v/verbs", [index])
}

deny contains {"message": message, "at": at} if {
	kind == "ClusterRole"
	some index, rule in rules
	"secrets" in rule.resources
	some verb in rule.verbs
	verb in {"list", "watch"}
	message := sprintf("ClusterRole %q can %s the Secrets of all namespaces", [input.resource.id.name, verb])
	at := sprintf("/rules/%v/verbs", [index])
}

deny contains {"message": message, "at": at} if {
	some index, selector in input.resource.object.aggregationRule.clusterRoleSelectors
	selects_everything(selector)
	message := sprintf("%s %q takes up the rules of every ClusterRole", [kind, input.resource.id.name])
	at := sprintf("/aggregationRule/clusterRoleSelectors/%v", [index])
}

deny contains {"message": message, "at": "/rules"} if {
	not type_name(rules) in {"array", "null"}
	message := sprintf("rules of %s %q are not a list", [kind, input.resource.id.name])
}

deny contains {"message": message, "at": at} if {
	is_array(rules)
	some index, rule in rules
	not readable(rule)
	message := sprintf("rule %v of %s %q cannot be read", [index, kind, input.resource.id.name])
	at := sprintf("/rules/%v", [index])
}

kind := input.resource.id.kind

rules := input.resource.object.rules

names_role if is_string(input.resource.object.roleRef.name)

is_binding if endswith(kind, "Binding")

selects_everything(selector) if not is_object(selector)

selects_everything(selector) if {
	is_object(selector)
	every key in ["matchLabels", "matchExpressions"] {
		object.get(selector, key, null) in [null, {}, []]
	}
}

# Every list of a rule is a list of texts, or not there.
readable(rule) if {
	is_object(rule)
	every list in lists {
		texts(object.get(rule, list, null))
	}
}

texts(null)

texts(list) if {
	is_array(list)
	every item in list {
		is_string(item)
	}
}
