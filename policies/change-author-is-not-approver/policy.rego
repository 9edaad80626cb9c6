# METADATA
# title: Nobody approves their own change
# description: >-
#   An approval is worth something because another person gave it. Whoever wrote, committed, signed or co-authored
#   a commit of the change does not approve it. How many approvals are needed is said in sluice.yaml, not here.
# custom:
#   id: change-author-is-not-approver
#   level: high
#   scope: change
#   fix: Ask someone who has no part in this change to approve it, and withdraw the author's approval.
#   controls: [SOC2 CC8.1, ISO27001 A.5.3, ISO27001 A.8.32]
package sluice.change.author_is_not_approver

deny contains {"message": message, "at": ""} if {
	some approval in input.approvals
	some part, names in parts
	is_same(approval.person, names)
	message := sprintf("approver %s %s", [approval.person, part])
}

# Everybody behind this change, by what they did. Commits name people by person, name or address.
parts := {
	"proposed this change": {input.change.author},
	"signed a commit of this change": {commit.verification.signer.person | some commit in input.commits},
	"wrote a commit of this change": {name | some commit in input.commits; some name in commit.author},
	"committed a commit of this change": {name | some commit in input.commits; some name in commit.committer},
	"is named as co-author of this change": {name | some commit in input.commits; some name in co_authors(commit.message)},
}

# Names differ in capitals and space from one commit to the next; a person stays the same.
is_same(person, names) if {
	some name in names
	lower(trim_space(name)) == lower(person)
}

# Name and address of each "Co-authored-by: Ada <ada@example.com>" line.
co_authors(message) := {name |
	some line in split(message, "\n")
	some match in regex.find_all_string_submatch_n(`(?i)^\s*co-authored-by:([^<]*)(?:<([^>]*)>)?`, line, -1)
	some index in [1, 2]
	name := match[index]
}
