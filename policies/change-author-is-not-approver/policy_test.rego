package sluice.change.author_is_not_approver_test

import data.sluice.change.author_is_not_approver as rule

commit(changes) := object.union(
	{
		"author": {"name": "Max Muster", "email": "max@example.com"},
		"committer": {"name": "GitHub", "email": "noreply@example.com"},
		"message": "bump web",
		"verification": {"kind": "verified", "signer": {"person": "max"}},
	},
	changes,
)

given(people, commits) := {
	"change": {"author": "max"},
	"commits": commits,
	"approvals": [{"person": person} | some person in people],
}

messages(found) := {finding.message | some finding in found}

test_allows_other_people if {
	count(rule.deny) == 0 with input as given(["lin", "jo"], [commit({}), commit({})])
}

test_is_silent_without_approvals if {
	count(rule.deny) == 0 with input as given([], [commit({})])
}

test_allows_beside_an_unsigned_commit if {
	unsigned := commit({"verification": {"kind": "rejected", "signer": null}})
	count(rule.deny) == 0 with input as given(["lin"], [unsigned])
}

test_denies_a_signer if {
	signed := commit({"verification": {"signer": {"person": "lin"}}})
	found := rule.deny with input as given(["jo", "lin"], [commit({}), signed])
	found == {{"message": "approver lin signed a commit of this change", "at": ""}}
}

test_denies_the_author_of_an_unsigned_commit if {
	every author in [{"name": "lin"}, {"email": "lin"}, {"name": " LIN "}] {
		unsigned := commit({"author": author, "verification": {"signer": null}})
		found := rule.deny with input as given(["lin"], [unsigned])
		messages(found) == {"approver lin wrote a commit of this change"}
	}
}

test_denies_a_committer if {
	found := rule.deny with input as given(["lin"], [commit({"committer": {"name": "Lin"}})])
	messages(found) == {"approver lin committed a commit of this change"}
}

test_denies_whoever_proposed_the_change if {
	found := rule.deny with input as given(["max"], [])
	messages(found) == {"approver max proposed this change"}
}

test_denies_a_co_author_by_name_or_address if {
	every line in [
		"Co-authored-by: Lin <lin@example.com>",
		"co-authored-by:lin",
		"Co-Authored-By: Someone <lin>\r",
		"  Co-authored-by: LIN",
	] {
		message := concat("\n", ["bump web", "", "Signed-off-by: Max", line, ""])
		found := rule.deny with input as given(["lin"], [commit({"message": message})])
		messages(found) == {"approver lin is named as co-author of this change"}
	}
}

test_allows_a_person_named_in_the_text if {
	message := "undo what lin did\n\nReviewed-by: lin\nNot Co-authored-by: lin"
	count(rule.deny) == 0 with input as given(["lin"], [commit({"message": message})])
}
