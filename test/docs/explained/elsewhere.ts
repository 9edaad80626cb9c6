/** Codes that need a disk, a stranger's server, a clock or a broken part: the tests that make each of these, by name. */
import { elsewhere } from "./entry.ts";

export const ELSEWHERE_TABLE = {
  internal: elsewhere(
    "server/parts.test.ts",
    "a line of the journal is JSON with a constant message, and holds nothing of a stranger's exception",
  ),
  "git-missing": elsewhere(
    "git/process.test.ts",
    "a program that is not there is git-missing, any other failure to start is git-failed",
  ),
  "git-too-old": elsewhere("git/parse.test.ts", "knows which versions of git carry the fixes"),
  "git-failed": elsewhere(
    "git/objects.test.ts",
    "cat-file that is killed is started again once, then it is git-failed",
  ),
  "object-corrupt": elsewhere(
    "git/objects.test.ts",
    "an object swapped on disk is corrupt: blob, tree, commit and tag",
  ),
  "too-many-files": elsewhere("git/objects.test.ts", "refuses trees that unfold to too many entries or too deep"),
  "too-many-refs": elsewhere(
    "git/source.test.ts",
    "reads packed references, loose ones before them, and symbolic ones",
  ),
  "fetch-failed": elsewhere(
    "git/gate.test.ts",
    "a source that went away is a failed fetch or no repository, and what was fetched stays",
  ),
  "store-foreign": elsewhere(
    "git/gate.test.ts",
    "a folder that Sluice did not make is refused, and a changed configuration is written again",
  ),
  "malformed-signature": elsewhere("signature/attacks.test.ts", "text after the end of an OpenPGP signature"),
  "weak-algorithm": elsewhere(
    "signature/openpgp.test.ts",
    "refuses SHA-1 signatures and RSA keys below 2,048 bits as weak",
  ),
  "key-not-for-signing": elsewhere("signature/openpgp.test.ts", "refuses a subkey whose back-signature is missing"),
  "untrusted-certificate": elsewhere(
    "signature/x509-constraints.heavy.test.ts",
    "constraints hold for everything below, and those of all authorities together",
  ),
  "revocation-unknown": elsewhere("signature/x509.test.ts", "a list that has ended covers nobody, whatever it says"),
  "bad-log-entry": elsewhere(
    "signature/x509-corpora.heavy.test.ts",
    "a log entry of one commit proves nothing about another",
  ),
  "bad-timestamp": elsewhere("signature/x509-fulcio.test.ts", "a timestamp by openssl ts counts"),
  "touch-required": elsewhere(
    "signature/ssh.test.ts",
    "refuses a signature without touch where the key is listed with touch",
  ),
  "pin-required": elsewhere("signature/ssh-certificate.test.ts", "where its certificate requires it"),
  "trust-authority-invalid": elsewhere("signature/x509.test.ts", "a key beside the certificate"),
  "render-too-large": elsewhere("render/render.test.ts", "files beyond 8 MiB each and 64 MiB together are refused"),
  "bundle-invalid": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "an archive that is anything but a bundle's four plain files is refused before anybody's signature is looked at",
  ),
  "bundle-too-large": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "an archive that is anything but a bundle's four plain files is refused before anybody's signature is looked at",
  ),
  "bundle-signature": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "a bundle that enough people of the trust folder signed judges as its folder does",
  ),
  "bundle-expired": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "a bundle that is past its end, or older than what is to be taken, is refused",
  ),
  "bundle-rolled-back": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "a bundle that is past its end, or older than what is to be taken, is refused",
  ),
  "policy-aborted": elsewhere(
    "policy/engine.test.ts",
    "a document too deep for the module, or with a lone surrogate, is not evaluated; the next one is",
  ),
  "policy-overloaded": elsewhere(
    "policy/engine.test.ts",
    "who comes when too many wait is turned away, and whoever waits is answered",
  ),
  "policy-memory": elsewhere("policy/engine.test.ts", "a policy has the memory that it is given, and no more"),
  "policy-deadline": elsewhere(
    "policy/engine.test.ts",
    "a rule that loops on every document takes only the time it is given, and the others still answer",
  ),
  "rules-missing": elsewhere(
    "invariants/01-nothing-passes-by-absence.test.ts",
    "a policy whose deny is undefined is an error, not an allow",
  ),
  "toolchain-missing": elsewhere("policy/toolchain.test.ts", "says that it is missing, and what to run"),
  "toolchain-deadline": elsewhere("policy/toolchain.test.ts", "ends a compiler that does not answer in time"),
  "toolchain-failed": elsewhere(
    "policy/toolchain.test.ts",
    "survives a compiler that is killed in the middle of a request",
  ),
  "sandbox-unavailable": elsewhere("policy/toolchain.test.ts", "a compiler of another version builds no policies"),
  "no-judge": elsewhere("decision/decide.test.ts", "no-judge: a change without a landed state to judge it is an error"),
  "no-tree": elsewhere("decision/decide.test.ts", "no-tree: a change without a merged tree is an error"),
  "signatures-missing": elsewhere(
    "decision/decide.test.ts",
    "no verification at all is an error, however few are required",
  ),
  "waiver-too-long": elsewhere(
    "cli/scaffold.heavy.test.ts",
    "waiver new refuses what no judge would count, and then writes nothing",
  ),
  "approval-malformed": elsewhere(
    "gate/approvals.heavy.test.ts",
    "a reference among the approvals that is no approval at all stops no verdict",
  ),
  "approval-unread": elsewhere(
    "gate/approvals.heavy.test.ts",
    "any number of references among the approvals stops no verdict and hides no approval",
  ),
  "approval-not-a-person": elsewhere(
    "decision/approval.test.ts",
    "another person's approval of this content counts, with who, which key and which envelope",
  ),
  "approval-kind-not-accepted": elsewhere(
    "decision/approval.test.ts",
    "another person's approval of this content counts, with who, which key and which envelope",
  ),
  "approval-other-approver": elsewhere(
    "decision/approval.test.ts",
    "another person's approval of this content counts, with who, which key and which envelope",
  ),
  "approval-other-repository": elsewhere(
    "decision/approval.test.ts",
    "another person's approval of this content counts, with who, which key and which envelope",
  ),
  "approval-other-target": elsewhere(
    "decision/approval.test.ts",
    "another person's approval of this content counts, with who, which key and which envelope",
  ),
  "approval-other-content": elsewhere(
    "cli/reports.heavy.test.ts",
    "of an allow says who gave an approval and why another did not count",
  ),
  "approval-outdated": elsewhere(
    "gate/approvals.heavy.test.ts",
    "an approval of content that was released and left since does not bring it back",
  ),
  "approval-expired": elsewhere("server/handing-in.test.ts", "what can never count is turned away with its code"),
  "approval-too-long": elsewhere(
    "decision/approval.test.ts",
    "an approval counts up to its last millisecond and for seven days, with ten minutes for clocks that differ",
  ),
  "approval-by-author": elsewhere(
    "cli/approve.heavy.test.ts",
    "what cannot count is not signed: one's own change, and what has landed below the tip",
  ),
  "approval-landed": elsewhere(
    "cli/approve.heavy.test.ts",
    "what cannot count is not signed: one's own change, and what has landed below the tip",
  ),
  "approval-signature": elsewhere("server/handing-in.test.ts", "what can never count is turned away with its code"),
  "log-busy": elsewhere(
    "e2e/bad-input.heavy.test.ts",
    "two writers on one log: the second is told so, readers are free, and it works once the first is gone",
  ),
  "log-failed": elsewhere("gate/record.test.ts", "a decision that the log does not take is never said"),
  "log-full": elsewhere(
    "log/damaged-database.test.ts",
    "is not said of a full volume: reading asks for space, and writes nothing",
  ),
  "log-unpublished": elsewhere(
    "log/damage.heavy.test.ts",
    "withholds the answer while it cannot be written, and records nothing more until it can",
  ),
  "log-moved": elsewhere(
    "contract/log-store.ts",
    "records what follows an entry directly behind it, and otherwise nothing of it",
  ),
  "log-closed": elsewhere("contract/log-store.ts", "lets the next writer in once the first has closed"),
  "log-read-only": elsewhere("contract/log-store.ts", "lets readers in while it writes"),
  "log-not-durable": elsewhere(
    "log/postgres-faults.heavy.test.ts",
    "is refused where a commit would not be durable, when it is opened and while it is open",
  ),
  "log-version-unknown": elsewhere(
    "log/damage.heavy.test.ts",
    "says of anything else that there is no log, or none that holds together",
  ),
  "log-corrupt": elsewhere("log/damage.heavy.test.ts", "refuses to read an entry that was edited, however old"),
  "log-tampered": elsewhere(
    "e2e/bad-input.heavy.test.ts",
    "a log that was edited is found by its first wrong entry, and nothing is released from it",
  ),
  "log-rolled-back": elsewhere(
    "e2e/bad-input.heavy.test.ts",
    "a log that was restored from a backup is refused by its anchor",
  ),
  "log-forked": elsewhere("contract/log-store.ts", "refuses an older copy of itself, and one that went its own way"),
  "redaction-needed": elsewhere(
    "log/redaction.heavy.test.ts",
    "a person who left is erased from what is old; releases, proofs and later landings go on",
  ),
  "entry-redacted": elsewhere(
    "log/redaction.heavy.test.ts",
    "what the gate needs and does not have any more is never guessed",
  ),
  "audit-log-too-long": elsewhere("log/reconcile.test.ts", "does not hold a line that has no end"),
  "entry-too-large": elsewhere("contract/log-store.ts", "refuses a poison entry alone; those beside it are recorded"),
  "entry-malformed": elsewhere("log/formats.test.ts", "is not made of a draft that breaks the form"),
  "note-malformed": elsewhere("log/note.test.ts", "is refused when its form differs in any way"),
  "note-bad-signature": elsewhere("log/note.test.ts", "fails as a whole when one signature of a known key is bad"),
  "note-unknown-key": elsewhere("log/note.test.ts", "skips signatures of unknown keys, and needs one of a known key"),
  "checkpoint-malformed": elsewhere("log/note.test.ts", "is refused in any other form"),
  "proof-malformed": elsewhere(
    "contract/log-store.ts",
    "proves an entry in a file that verifies offline, and only that entry",
  ),
  "proof-wrong": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "a release with the proof of another entry is refused",
  ),
  "witness-silent": elsewhere(
    "log/witness.test.ts",
    "goes on without one that is silent, wrong, too long or another's, and says so once",
  ),
  "witness-refused": elsewhere(
    "log/witness.test.ts",
    "goes on without one that is silent, wrong, too long or another's, and says so once",
  ),
  "release-not-allowed": elsewhere("release/build.test.ts", "refuses to release what is not a gate's allow"),
  "release-not-landed": elsewhere("release/build.test.ts", "refuses to release an allowed proposal"),
  "release-objects-differ": elsewhere(
    "release/build.test.ts",
    "refuses objects other than the judged ones: changed, added, removed, renamed, of another target",
  ),
  "release-evidence-withheld": elsewhere(
    "log/redaction.heavy.test.ts",
    "what the gate needs and does not have any more is never guessed",
  ),
  "release-superseded": elsewhere(
    "release/build.test.ts",
    "refuses a decision that is older than the one the last release rests on",
  ),
  "release-record-lost": elsewhere(
    "log/redaction.heavy.test.ts",
    "what the gate needs and does not have any more is never guessed",
  ),
  "release-too-large": elsewhere("release/build.test.ts", "refuses more objects than a signed release can list"),
  "object-lost": elsewhere("release/publish.test.ts", "a lost or damaged object of the gate stops the release"),
  "object-file-name": elsewhere("agent/attacks.heavy.test.ts", "names a file by a path"),
  "release-malformed": elsewhere("agent/attacks.heavy.test.ts", "brings back a later release"),
  "release-untrusted": elsewhere("agent/attacks.heavy.test.ts", "a head or a release that is signed by an unknown key"),
  "release-entry-malformed": elsewhere(
    "release/statement.test.ts",
    "entry.json carries the leaf and the digests, and nothing else that was disclosed",
  ),
  "head-malformed": elsewhere("release/statement.test.ts", "a head says what is current for ten minutes"),
  "head-untrusted": elsewhere("agent/attacks.heavy.test.ts", "a head or a release that is signed by an unknown key"),
  "head-stale": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "a head older than ten minutes waits and applies nothing, whatever it names",
  ),
  "tile-wrong": elsewhere("release/publish.test.ts", "a changed, missing or cut tile is refused wherever it is used"),
  "channel-path": elsewhere("release/channel.test.ts", "refuses the path $"),
  "channel-link": elsewhere(
    "release/channel.test.ts",
    "neither reads nor writes through a link, a hard link or a pipe",
  ),
  "channel-conflict": elsewhere("release/channel.test.ts", "never overwrites other bytes, except head and checkpoint"),
  "channel-file-too-large": elsewhere(
    "agent/attacks.heavy.test.ts",
    "a channel that fills the disk or the memory is refused by size",
  ),
  "report-malformed": elsewhere("release/report.test.ts", "a report in any other form is refused"),
  "report-unknown-agent": elsewhere(
    "release/report.test.ts",
    "a report by an unknown key, or by an agent that speaks for another one, is refused",
  ),
  "report-mismatch": elsewhere(
    "release/report.test.ts",
    "a report of a release that was never made, or of another target, is refused",
  ),
  "report-stale": elsewhere(
    "release/report.test.ts",
    "a report that is older than what its agent reported before is refused, an equal one is not",
  ),
  "emergency-release": elsewhere(
    "gate/emergency.heavy.test.ts",
    "two operators release a tip that lacks approvals and breaks a rule; the log says so in kinds of its own",
  ),
  "emergency-refused": elsewhere(
    "gate/emergency.heavy.test.ts",
    "files that judge are not changed in an emergency, whoever approved them",
  ),
  "review-due": elsewhere(
    "gate/review.heavy.test.ts",
    "one operator releases alone; the log says that it was one, and until when another person reviews it",
  ),
  "emergency-not-alone": elsewhere(
    "gate/review.heavy.test.ts",
    "what gate.yaml does not say is two: alone is refused before anything is judged",
  ),
  "review-open": elsewhere(
    "gate/review.heavy.test.ts",
    "until it is reviewed the next emergency takes two; after that one is enough again",
  ),
  "review-own": elsewhere(
    "gate/review.heavy.test.ts",
    "whoever released it, or signed what was released, does not review it",
  ),
  "review-not-owed": elsewhere(
    "gate/review.heavy.test.ts",
    "only a decision by which one released alone is reviewed: no other decision, no word, nothing that is not there",
  ),
  "review-done": elsewhere(
    "gate/review.heavy.test.ts",
    "another person reviews it once; the log says who, how and why",
  ),
  "second-operator-needed": elsewhere(
    "e2e/operators.heavy.test.ts",
    "two operators with tokens of their own release in an emergency, and every output is loud",
  ),
  "second-operator-same": elsewhere(
    "gate/emergency.heavy.test.ts",
    "one operator, or one person twice, releases nothing",
  ),
  "operator-unnamed": elsewhere("gate/emergency.heavy.test.ts", "a word without a name, a reason or a ticket is none"),
  "not-fast-forward": elsewhere(
    "e2e/landing.heavy.test.ts",
    "a rewritten branch is not-fast-forward until something descends from the release again",
  ),
  "branch-rollback": elsewhere(
    "gate/moved-branch.heavy.test.ts",
    "a branch that is moved back to an older released state is denied as that, until it goes on",
  ),
  "branch-teleport": elsewhere(
    "gate/moved-branch.heavy.test.ts",
    "a branch that is pointed at what landed on another one is denied as that",
  ),
  "merge-not-judged": elsewhere(
    "e2e/landing.heavy.test.ts",
    "a squash whose content was edited is not judged by anybody; an approval of what landed is the remedy",
  ),
  "head-superseded": elsewhere(
    "server/judging.test.ts",
    "an older head that waits or runs is ended by a newer one, and the log says so of both",
  ),
  "change-deadline": elsewhere("server/judging.test.ts", "a change whose time is up ends as a logged error"),
  "queue-full": elsewhere(
    "server/judging.test.ts",
    "a full queue and a service that stops take nothing, each by its code, and log nothing",
  ),
  "service-stopping": elsewhere(
    "server/judging.test.ts",
    "a full queue and a service that stops take nothing, each by its code, and log nothing",
  ),
  "disk-low": elsewhere(
    "server/orders.test.ts",
    "little room is said; with too little no proposal is taken, a landing is, and the service is not ready",
  ),
  "restart-needed": elsewhere(
    "server/serve.test.ts",
    "what lands is released, a bad gate.yaml changes nothing, and a signal ends it all in order",
  ),
  "not-authenticated": elsewhere(
    "e2e/operators.heavy.test.ts",
    "who acts in an emergency is whom a token names, and only an operator",
  ),
  "not-permitted": elsewhere(
    "e2e/operators.heavy.test.ts",
    "who acts in an emergency is whom a token names, and only an operator",
  ),
  "person-needed": elsewhere(
    "e2e/operators.heavy.test.ts",
    "who acts in an emergency is whom a token names, and only an operator",
  ),
  "too-many-requests": elsewhere("server/http/hostile.test.ts", "is bounded for each token before anything is judged"),
  "host-unknown": elsewhere("server/http/local.test.ts", "no page behind $"),
  "route-unknown": elsewhere("server/http/admission.test.ts", "answers 413, 415, 404 and 405 as problems"),
  "method-unknown": elsewhere("server/http/admission.test.ts", "answers 413, 415, 404 and 405 as problems"),
  "media-type-unknown": elsewhere("server/http/admission.test.ts", "answers 413, 415, 404 and 405 as problems"),
  "request-invalid": elsewhere("server/http/hostile.test.ts", "where none is read is refused"),
  "request-too-large": elsewhere("server/http/admission.test.ts", "answers 413, 415, 404 and 405 as problems"),
  "hint-unsigned": elsewhere(
    "server/hint.test.ts",
    "a hint releases what landed, with a day to the next look; one that is not signed wakes nobody",
  ),
  "hint-signature": elsewhere(
    "server/access/hints.test.ts",
    "is known by the new secret once that is read, and what was taken stays taken",
  ),
  "hint-expired": elsewhere("server/access/hints.test.ts", "is refused when it is old, or from the future"),
  "hint-replayed": elsewhere("server/access/hints.test.ts", "is taken once, also with other signatures beside its own"),
  "request-too-slow": elsewhere(
    "server/http/hostile.test.ts",
    "whose sender goes away before the answer is no failure of the service either",
  ),
  "answer-too-slow": elsewhere(
    "server/http/admission.test.ts",
    "refuses what is not judged in time, ours or the caller's, and tells the judge to stop",
  ),
  "entrypoint-undefined": elsewhere(
    "server/handing-in.test.ts",
    "a question to the policies is answered by the judge's rules, logged, and never by nothing",
  ),
  "listen-failed": elsewhere("server/http/tls.test.ts", "is not begun where somebody else listens"),
  "gate-unreachable": elsewhere("server/http/client.test.ts", "says where nothing listens"),
  "agent-busy": elsewhere("agent/agent.test.ts", "two agents do not run at once on one state folder"),
  "agent-state-malformed": elsewhere(
    "agent/agent.test.ts",
    "a damaged memory, and one of another target, is not an empty one",
  ),
  "agent-state-other": elsewhere(
    "agent/agent.test.ts",
    "a damaged memory, and one of another target, is not an empty one",
  ),
  "head-other": elsewhere(
    "agent/attacks.heavy.test.ts",
    "a hold is not forgotten by hiding it: the head before it is refused from then on",
  ),
  "head-replayed": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "yesterday's channel is refused once a newer head was seen",
  ),
  "head-held": elsewhere(
    "agent/agent.test.ts",
    "waits with exit 4 under a stale head and under a hold, and keeps what runs",
  ),
  "witness-quorum": elsewhere(
    "cli/witness.heavy.test.ts",
    "an agent that asks for witnesses applies only what enough of them saw; the gate goes on without one",
  ),
  "checkpoint-older": elsewhere("agent/attacks.heavy.test.ts", "a log that is shorter than it was: a rolled-back gate"),
  "release-replayed": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "an old release under a fresh head is refused",
  ),
  "release-below-minimum": elsewhere("agent/agent.test.ts", "refuses a release below the minimum"),
  "release-differs": elsewhere("invariants/04-no-proof-no-apply.test.ts", "a release with one byte changed is refused"),
  "release-incomplete": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "a release without its proof of inclusion is refused",
  ),
  "release-entry-differs": elsewhere("agent/attacks.heavy.test.ts", "is of another commit"),
  "object-differs": elsewhere(
    "invariants/04-no-proof-no-apply.test.ts",
    "an object with one byte changed is refused before anything of its release is put in place",
  ),
  "apply-blocked": elsewhere("agent/agent.test.ts", "never writes through a link that stands where an object belongs"),
  "apply-record-lost": elsewhere("agent/agent.test.ts", "two targets do not share one folder"),
  "apply-other-target": elsewhere("agent/agent.test.ts", "two targets do not share one folder"),
  "report-failed": elsewhere(
    "agent/agent.test.ts",
    "a report that cannot be written is exit 3 after the release is in place, and is sent at the next run",
  ),
  drift: elsewhere("agent/agent.test.ts", "drift of our files is reported with exit 5 and not overwritten"),
  "output-failed": elsewhere("cli/broken-pipe.test.ts", "says that it could not be written"),
  "external-undeclared": elsewhere("gate/external-sources.test.ts", "a target is given only what is declared for it"),
  "external-not-given": elsewhere(
    "policy/external.test.ts",
    "nothing is evaluated without the data, and each rule that reads it sees exactly what it is given",
  ),
  "external-unnamed": elsewhere(
    "policy/external.test.ts",
    "a source is read by its name, and nobody else has the package",
  ),
  "external-unreachable": elsewhere(
    "gate/external-fetch.test.ts",
    "has a deadline, whether it says nothing or stops in the middle",
  ),
  "external-address": elsewhere(
    "gate/external-fetch.test.ts",
    "is at no address where clouds keep credentials, and at none of this machine unless the operator says so",
  ),
  "external-too-large": elsewhere("gate/external-fetch.test.ts", "is cut off at 1 MiB, also where it never ends"),
  "external-malformed": elsewhere(
    "gate/external-fetch.test.ts",
    "that breaks off, is not there or gives no text gives nothing",
  ),
  "external-not-recorded": elsewhere(
    "cli/simulate.heavy.test.ts",
    "simulate asks nobody: policies that read what was not recorded are given it, or not replayed",
  ),
  "bundle-memory": elsewhere(
    "cli/policy-bundle.heavy.test.ts",
    "a version that was taken is remembered: no older one after it, and no other one in its place",
  ),
} as const;
