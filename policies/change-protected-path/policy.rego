# METADATA
# title: Protected paths need a role
# description: >-
#   Some folders are changed only with the people who answer for them: one of them approves, or all commits are
#   theirs. One commit of theirs among others is not enough: anybody can pick it into a branch.
# custom:
#   id: change-protected-path
#   level: high
#   scope: change
#   fix: Ask a person with the named role to approve this change.
#   controls: [SOC2 CC8.1, ISO27001 A.5.3, ISO27001 A.8.32]
package sluice.change.protected_path

# The place to edit: which folder needs which role. A folder ends with "/". Rows add up: where two rows cover a
# path, both roles are needed.
protected := [
	{"folder": "clusters/prod/", "role": "platform"},
	{"folder": "prod/", "role": "platform"},
]

deny contains {"message": message, "at": ""} if {
	some row in protected
	touched := [path | some path in input.change.paths; covers(row.folder, path)]
	count(touched) > 0
	not approved_by(row.role)
	not signed_by(row.role)
	message := sprintf("%s changed; %s requires role %s", [named(touched), row.folder, row.role])
}

# The folder's own name counts: a link or a submodule can take its place.
covers(folder, path) if startswith(path, folder)

covers(folder, path) if path == trim_suffix(folder, "/")

approved_by(role) if {
	some approval in input.approvals
	role in approval.roles
	not approval.person in signers
}

signed_by(role) if {
	count(input.commits) > 0
	every commit in input.commits {
		commit.verification.kind == "verified"
		commit.verification.signer.class == "person"
		role in commit.verification.signer.roles
	}
}

signers := {commit.verification.signer.person | some commit in input.commits}

named([path]) := sprintf("%s is", [path])

named(paths) := sprintf("%s and %v more are", [paths[0], count(paths) - 1]) if count(paths) > 1
