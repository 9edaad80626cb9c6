package sluice.change.protected_path_test

import data.sluice.change.protected_path

signed(person, class, roles) := {"verification": {
	"kind": "verified",
	"signer": {"person": person, "class": class, "roles": roles},
}}

rejected := {"verification": {"kind": "rejected", "signer": null}}

approval(person, roles) := {"person": person, "roles": roles}

given(paths, commits, approvals) := {"change": {"paths": paths}, "commits": commits, "approvals": approvals}

web := ["clusters/prod/web.yaml"]

by_max := [signed("max", "person", [])]

messages(found) := {finding.message | some finding in found}

test_allows_other_paths if {
	paths := ["clusters/staging/web.yaml", "apps/prod/web.yaml", "production/web.yaml", "README.md"]
	count(protected_path.deny) == 0 with input as given(paths, by_max, [])
}

test_allows_an_approval_with_the_role if {
	count(protected_path.deny) == 0 with input as given(web, by_max, [approval("lin", ["platform"])])
}

test_allows_commits_by_people_with_the_role if {
	commits := [signed("lin", "person", ["platform"]), signed("jo", "person", ["security", "platform"])]
	count(protected_path.deny) == 0 with input as given(web, commits, [])
}

test_denies_without_the_role if {
	found := protected_path.deny with input as given(web, by_max, [])
	found == {{"message": "clusters/prod/web.yaml is changed; clusters/prod/ requires role platform", "at": ""}}
}

test_counts_the_paths if {
	found := protected_path.deny with input as given(["prod/a", "prod/b", "prod/c"], by_max, [])
	messages(found) == {"prod/a and 2 more are changed; prod/ requires role platform"}
}

test_denies_the_folder_itself_replaced_by_a_link if {
	found := protected_path.deny with input as given(["prod"], by_max, [])
	messages(found) == {"prod is changed; prod/ requires role platform"}
}

test_denies_approvals_with_another_role if {
	approvals := [approval("jo", ["security"]), approval("kim", ["platform-readers"]), approval("sam", [])]
	count(protected_path.deny) == 1 with input as given(web, by_max, approvals)
}

test_denies_one_good_commit_among_others if {
	every other in [by_max[0], rejected] {
		commits := [signed("lin", "person", ["platform"]), other]
		count(protected_path.deny) == 1 with input as given(web, commits, [])
	}
}

test_denies_a_signer_who_approves_too if {
	commits := [signed("lin", "person", ["platform"]), by_max[0]]
	count(protected_path.deny) == 1 with input as given(web, commits, [approval("lin", ["platform"])])
}

test_denies_robots_and_forges_with_the_role if {
	every class in ["robot", "forge"] {
		count(protected_path.deny) == 1 with input as given(web, [signed("renovate", class, ["platform"])], [])
	}
}

test_denies_a_rejected_signature_with_the_role if {
	commit := object.union(signed("lin", "person", ["platform"]), {"verification": {"kind": "rejected"}})
	count(protected_path.deny) == 1 with input as given(web, [commit], [])
}

test_denies_a_change_without_commits if {
	count(protected_path.deny) == 1 with input as given(web, [], [])
}
