/** The verdict: a pure and total function of the evidence. Nothing passes by absence (invariant 1). */
import { type CodeClass, codeEntry, isCode } from "../lib/codes.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import type { Finding } from "../policy/finding.ts";
import { resourceName } from "../render/resource.ts";
import { missingFrom } from "./approval.ts";
import type { Decision, Emergency, Evidence, Reason, Verdict } from "./decision.ts";
import { areEnough, beyondEmergency } from "./emergency.ts";

/** A reason together with what it does to the verdict; only the reason is kept. */
interface Weighed {
  readonly verdict: Exclude<Verdict, "allow">;
  readonly reason: Reason;
}

const WORST_FIRST = ["error", "deny", "wait"] as const;

/** `id` is a ULID made by the caller from its clock and randomness. */
export function decide(evidence: Evidence, id: string, now: Instant): Decision {
  const weighed = RULES.flatMap((rule) => rule(evidence)).map((one) => filled(one, evidence));
  const loud = inEmergency(weighed, evidence);
  const open = loud === null ? weighed : [];
  const verdict = WORST_FIRST.find((worst) => open.some((one) => one.verdict === worst)) ?? "allow";
  const reasons = Object.freeze([...(loud ?? []), ...weighed.map((one) => one.reason)].sort(byCodeAndMessage));
  return Object.freeze({ ...evidence, id, verdict, reasons, decidedAt: formatTime(now) });
}

/** What an allow in an emergency says before all that it stands in for; null where there is none, or it may not stand in. */
function inEmergency(weighed: readonly Weighed[], evidence: Evidence): readonly Reason[] | null {
  const { emergency, subject } = evidence;
  if (emergency === undefined || subject !== "landed" || !areEnough(emergency) || weighed.length === 0) return null;
  const reasons = weighed.map((one) => one.reason);
  if (beyondEmergency(reasons, evidence).length > 0) return null;
  const words = emergency.operators.map(
    ({ person, reason, ticket }) => `${person} (${ticket ?? "no ticket"}: ${reason})`,
  );
  const message = `It is released in an emergency by ${words.join(" and ")}.`;
  return [{ code: "emergency-release", message, fix: fixOf("emergency-release") }, ...reviewOwed(emergency)];
}

function reviewOwed({ operators, reviewDue }: Emergency): readonly Reason[] {
  if (reviewDue === undefined) return [];
  const message = `${operators[0]?.person} did it alone; another person reviews it by ${reviewDue}.`;
  return [{ code: "review-due", message, fix: fixOf("review-due") }];
}

const RULES: readonly ((evidence: Evidence) => readonly Weighed[])[] = [
  failed,
  refused,
  withoutJudge,
  unsigned,
  uncovered,
  unrendered,
  unevaluated,
  withoutRule,
  unruled,
  denied,
  asked,
  unapproved,
  ungoverned,
];

function failed({ failure }: Evidence): readonly Weighed[] {
  if (failure === null) return [];
  const { code, message, fix } = failure;
  return [{ verdict: verdictOf(code), reason: { code, message, fix: fix ?? fixOf(code) } }];
}

function refused({ refusals }: Evidence): readonly Weighed[] {
  return refusals.map((reason) => ({ verdict: verdictOf(reason.code), reason }));
}

/** Only a failure, or a conflict that says why there is no tree, may stand in place of these. */
function withoutJudge({ judge, tree, failure, refusals }: Evidence): readonly Weighed[] {
  if (failure !== null) return [];
  const reasons: Weighed[] = [];
  if (judge === null) reasons.push(error("no-judge", "No landed state judges this change."));
  const isConflict = refusals.some((reason) => reason.code === "merge-conflict");
  if (tree === null && !isConflict) reasons.push(error("no-tree", "The change has no merged tree to judge."));
  return reasons;
}

/** Kinds in a message; the rest is a number. */
const MOST_NAMED = 5;

const REQUIRED = {
  "every-commit": "every commit to be signed",
  "merge-and-head": "merges and the newest commit to be signed",
  head: "the newest commit to be signed",
} as const;

/** Every required commit is verified, and the required commits are those that the target's rule names. */
function unsigned(evidence: Evidence): readonly Weighed[] {
  const { require } = evidence.target.signatures;
  if (require === "none") return [];
  const required = new Set<string>(evidence.requiredCommits);
  // Approvals over the landed tree stand in: where nobody gave one, nothing does.
  const isStoodFor = evidence.subject === "landed" && evidence.approvals.given.length > 0;
  const standIn = new Set<string>(isStoodFor ? evidence.standIn : []);
  const reasons = evidence.verifications.flatMap((one): Weighed[] => {
    if (!required.has(one.commit) || one.kind === "verified" || standIn.has(one.commit)) return [];
    // On a landed commit a forge's lone signature means that nobody judged the merge: that has a remedy of its own.
    const code =
      evidence.subject === "landed" && one.reason === "forge-not-permitted" ? "merge-not-judged" : one.reason;
    const detail =
      code === "unsigned-commit"
        ? `${one.detail.replace(/\.$/, "")}; ${evidence.target.name} requires ${REQUIRED[require]}.`
        : one.detail;
    return [deny(code, detail, fixOf(code))];
  });
  const seen = new Set<string>(evidence.verifications.map((one) => one.commit));
  const missing = !covers(evidence, required) || [...required].some((commit) => !seen.has(commit));
  if (missing && evidence.failure === null)
    reasons.push(error("signatures-missing", "The signatures of the range were not all looked at."));
  return reasons;
}

function covers(evidence: Evidence, required: ReadonlySet<string>): boolean {
  const { require } = evidence.target.signatures;
  if (!required.has(evidence.head)) return false;
  return require !== "every-commit" || evidence.verifications.every((one) => required.has(one.commit));
}

function uncovered({ uncovered: paths, target }: Evidence): readonly Weighed[] {
  return paths.map((path) =>
    deny(
      "path-not-covered",
      `${path} belongs to no target and is not ignored; ${target.name} requires every changed path to be covered.`,
      fixOf("path-not-covered"),
    ),
  );
}

function unrendered({ renderFailures }: Evidence): readonly Weighed[] {
  return renderFailures.map(({ code, message, file, line, column }) => {
    const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
    return { verdict: verdictOf(code), reason: { code, message: `${place}  ${message}`, fix: fixOf(code) } };
  });
}

function unevaluated({ notEvaluated, rulesEvaluated, rulesExpected, failure }: Evidence): readonly Weighed[] {
  const reasons = notEvaluated.map(({ what, code, message }) => error(code, `${what}: ${message}`));
  if (rulesEvaluated !== rulesExpected && reasons.length === 0 && failure === null) {
    reasons.push(error("rules-missing", `${rulesEvaluated} of ${rulesExpected} rules were evaluated.`));
  }
  return reasons;
}

function withoutRule(evidence: Evidence): readonly Weighed[] {
  const stopped = evidence.failure !== null || evidence.tree === null || evidence.renderFailures.length > 0;
  if (evidence.rulesExpected > 0 || stopped) return [];
  const message = `No rule selects anything in ${evidence.target.name}${kindsOf(evidence.unruled)}.`;
  return [deny("no-rule-evaluated", message, fixOf("no-rule-evaluated"))];
}

/** What a rule's `match` would have to name; the names are `Kind/namespace/name`. */
function kindsOf(names: readonly string[]): string {
  const kinds = [...new Set(names.map((name) => name.split("/")[0] ?? name))].sort();
  const more = kinds.length > MOST_NAMED ? ` and ${kinds.length - MOST_NAMED} more` : "";
  return kinds.length === 0 ? "" : `, whose objects are of kind ${kinds.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function unruled({ unruled: names, target }: Evidence): readonly Weighed[] {
  if (target.unruled !== "deny") return [];
  return names.map((name) =>
    deny(
      "object-unruled",
      `${name} has no rule; ${target.name} requires one for every object.`,
      fixOf("object-unruled"),
    ),
  );
}

function denied({ findings }: Evidence): readonly Weighed[] {
  return findings
    .filter((finding) => finding.kind === "deny" && counts(finding))
    .map((finding) => deny("policy-denied", named(finding), finding.fix));
}

function asked({ findings, approvals }: Evidence): readonly Weighed[] {
  const open = findings.filter((finding) => {
    const answered = approvals.given.some(({ roles }) => finding.role === null || roles.includes(finding.role));
    return finding.kind === "ask" && counts(finding) && !answered;
  });
  return open.map((finding) =>
    wait(
      "ask-unanswered",
      `${named(finding)}; ${finding.role === null ? "somebody" : `one of ${finding.role}`} has to approve it.`,
      fixOf("ask-unanswered"),
    ),
  );
}

function unapproved({ target, approvals }: Evidence): readonly Weighed[] {
  const missing = missingFrom(target.approvals, approvals.given, approvals.able);
  if (missing.length === 0) return [];
  const message = `${approvals.given.length} of ${target.approvals.count} approvals are given; ${target.name} still requires ${missing.join(" and ")}.`;
  return [wait("approval-missing", message, fixOf("approval-missing"))];
}

function ungoverned({ governance, approvals }: Evidence): readonly Weighed[] {
  if (governance === null) return [];
  const reasons: Weighed[] = [];
  if (governance.unusable !== null)
    reasons.push(deny("new-judge-unusable", governance.unusable, fixOf("new-judge-unusable")));
  const missing = missingFrom(governance.rule, governance.given, approvals.able);
  if (missing.length > 0) {
    reasons.push(
      wait(
        "governance-approval-missing",
        `${judging(governance.paths)} still requires ${missing.join(" and ")}.`,
        fixOf("governance-approval-missing"),
      ),
    );
  }
  return reasons;
}

function judging(paths: readonly string[]): string {
  const [first = "", ...others] = paths;
  if (others.length === 0) return `${first} judges changes; a change to it`;
  return `${first} and ${others.length} more judge changes; a change to them`;
}

function counts(finding: Finding): boolean {
  return finding.waivedBy === null && !finding.baseline;
}

function named(finding: Finding): string {
  const resource = finding.resource === null ? "" : `${resourceName(finding.resource)} `;
  return `${finding.rule}: ${resource}${finding.message}`;
}

/** Puts the change's own names into the catalogue's fix, so that it can be typed as it stands; what a policy says stays as it is. */
function filled({ verdict, reason }: Weighed, { base, head, target }: Evidence): Weighed {
  if (reason.code === "policy-denied" || reason.fix === null) return { verdict, reason };
  const names: Readonly<Record<string, string>> = {
    BASE: base?.slice(0, 7) ?? "BASE",
    COMMIT: head.slice(0, 7),
    TARGET: target.name,
  };
  const fix = reason.fix.replaceAll(/\b(?:BASE|COMMIT|TARGET)\b/g, (word) => names[word] ?? word);
  return { verdict, reason: { ...reason, fix } };
}

/** An unknown code is an error: never weaker than a denial that somebody could cure by accident. */
function verdictOf(code: string): Exclude<Verdict, "allow"> {
  const kind: CodeClass = isCode(code) ? codeEntry(code).class : "error";
  if (kind === "deny" || kind === "rejected" || kind === "refused") return "deny";
  return kind === "wait" ? "wait" : "error";
}

function fixOf(code: string): string | null {
  return isCode(code) ? codeEntry(code).fix : null;
}

function deny(code: string, message: string, fix: string | null): Weighed {
  return { verdict: "deny", reason: { code, message, fix } };
}

function wait(code: string, message: string, fix: string | null): Weighed {
  return { verdict: "wait", reason: { code, message, fix } };
}

function error(code: string, message: string): Weighed {
  return { verdict: "error", reason: { code, message, fix: fixOf(code) } };
}

function byCodeAndMessage(a: Reason, b: Reason): number {
  if (a.code !== b.code) return a.code < b.code ? -1 : 1;
  if (a.message === b.message) return 0;
  return a.message < b.message ? -1 : 1;
}
