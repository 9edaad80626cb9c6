/** A person's recorded yes to exactly this content, and whether it counts (DESIGN section 7, "approvals"). */
import type { PathChange } from "../git/object.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import type { Certification, Trust } from "../signature/trust.ts";
import type { Signer } from "../signature/verification.ts";
import { APPROVAL_LIFETIME_MS, type ApprovalStatement } from "./envelope.ts";

/** How far an approver's clock may be ahead of the gate's. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

export interface ApprovalRule {
  readonly count: number;
  /** At least one approval must come from each of these roles. */
  readonly roles: readonly string[];
  readonly accept: readonly ("signed" | "forge")[];
  readonly bind: "tree" | "change";
}

/** An approval that counts: of a distinct person who is neither author, committer, signer nor co-author of the range. */
export interface CountedApproval {
  readonly person: string;
  readonly roles: readonly string[];
  readonly at: string;
  readonly via: "signature" | "forge";
  readonly key: string;
  /** SHA-256 of the envelope, hex. */
  readonly envelope: string;
  /** RFC 3339, as its statement says: what is lent to a later decision is over then, too. */
  readonly expiresAt: string;
  /** Where the key is not listed itself: the SSH certificate's words, which a later decision compares anew. */
  readonly certification?: CertificationRecord;
}

/** As in signature/trust.ts, its times in RFC 3339. */
interface CertificationRecord {
  readonly authority: string;
  readonly principals: readonly string[];
  readonly from: string | null;
  readonly until: string | null;
}

/** An approval that does not count, and why (a code). */
export interface IgnoredApproval {
  readonly person: string | null;
  readonly code: string;
  readonly message: string;
  readonly envelope: string;
}

/** An envelope whose signature was checked; a rejected one is already an IgnoredApproval. */
export interface VerifiedApproval {
  readonly statement: ApprovalStatement;
  readonly signer: Signer;
  readonly envelope: string;
  readonly certification: Certification | null;
}

/** What an approval must name to count for this decision. */
export interface ApprovalSubject {
  readonly repository: string;
  readonly target: string;
  readonly tree: string;
  readonly changeDigest: string;
  /** Person ids behind any author, committer, signer or Co-authored-by of the range. */
  readonly excluded: ReadonlySet<string>;
  readonly at: Instant;
}

export interface CountedApprovals {
  readonly given: readonly CountedApproval[];
  readonly ignored: readonly IgnoredApproval[];
}

/** SHA-256 (hex) of canonical `[{path, oldMode, oldBlob, newMode, newBlob}]` from base to merged tree, sorted by path. */
export function changeDigest(changes: readonly PathChange[]): string {
  const list = changes.map(({ path, oldMode, oldBlob, newMode, newBlob }) => ({
    path,
    oldMode,
    oldBlob,
    newMode,
    newBlob,
  }));
  return sha256Hex(canonicalJson(list.sort((a, b) => (a.path < b.path ? -1 : 1)) as unknown as JsonValue));
}

/** Everyone who had a hand in the range: they may not approve it. */
export function excludedPersons(
  emails: readonly string[],
  signers: readonly Signer[],
  trust: Trust,
): ReadonlySet<string> {
  const written = new Set(emails.map((email) => email.toLowerCase()));
  const owners = trust.owners.filter((owner) => owner.emails.some((email) => written.has(email)));
  return new Set([...owners.map((owner) => owner.id), ...signers.map((signer) => signer.person)]);
}

/** E-mail addresses of `Co-authored-by:` trailers anywhere in a message: a wider net than git's trailer rules, on purpose. */
export function coAuthors(message: string): readonly string[] {
  return [...message.matchAll(/^[ \t]*co-authored-by:[^<\n]*<([^>\n]{1,320})>/gim)].map((match) => match[1] ?? "");
}

export function countApprovals(
  approvals: readonly VerifiedApproval[],
  rule: ApprovalRule,
  subject: ApprovalSubject,
): CountedApprovals {
  const given = new Map<string, CountedApproval>();
  const ignored: IgnoredApproval[] = [];
  for (const approval of approvals) {
    const refusal = refuse(approval, rule, subject);
    if (refusal !== null) ignored.push({ person: approval.signer.person, ...refusal, envelope: approval.envelope });
    else if (!given.has(approval.signer.person)) given.set(approval.signer.person, counted(approval, subject.at));
  }
  const byPerson = (a: CountedApproval, b: CountedApproval) => (a.person < b.person ? -1 : 1);
  return {
    given: [...given.values()].sort(byPerson),
    ignored: ignored.sort((a, b) => (a.envelope < b.envelope ? -1 : 1)),
  };
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

function refuse(approval: VerifiedApproval, rule: ApprovalRule, subject: ApprovalSubject): Refusal | null {
  const { statement, signer } = approval;
  const who = signer.person;
  if (signer.class !== "person")
    return { code: "approval-not-a-person", message: `${who} is a ${signer.class}; only people approve.` };
  if (!rule.accept.includes("signed"))
    return { code: "approval-kind-not-accepted", message: `${subject.target} accepts no signed approvals.` };
  if (statement.approver !== who)
    return {
      code: "approval-other-approver",
      message: `the statement names ${statement.approver}, the key is ${who}'s.`,
    };
  if (statement.repository !== subject.repository)
    return {
      code: "approval-other-repository",
      message: `${who} approved for repository ${statement.repository}, this is ${subject.repository}.`,
    };
  if (statement.target !== subject.target)
    return {
      code: "approval-other-target",
      message: `${who} approved for ${statement.target}, not for ${subject.target}.`,
    };
  const expires = parseTime(statement.expiresAt);
  if (expires === null || expires <= subject.at)
    return { code: "approval-expired", message: `${who}'s approval expired at ${statement.expiresAt}.` };
  if (expires - subject.at > APPROVAL_LIFETIME_MS + CLOCK_TOLERANCE_MS)
    return {
      code: "approval-too-long",
      message: `${who}'s approval wants to count until ${statement.expiresAt}; seven days is the most.`,
    };
  if (!bindsTo(statement, rule, subject))
    return { code: "approval-other-content", message: `${who} approved other content; the change is not what it was.` };
  if (subject.excluded.has(who)) return { code: "approval-by-author", message: `${who} had a hand in this change.` };
  return null;
}

/** False for a statement that no signature could make count: of other content, another place, or over. */
export function couldCount(statement: ApprovalStatement, rule: ApprovalRule, subject: ApprovalSubject): boolean {
  const { repository, target, expiresAt } = statement;
  const isOver = (parseTime(expiresAt) ?? 0) <= subject.at;
  return repository === subject.repository && target === subject.target && !isOver && bindsTo(statement, rule, subject);
}

function bindsTo(statement: ApprovalStatement, rule: ApprovalRule, subject: ApprovalSubject): boolean {
  return rule.bind === "tree" ? statement.tree === subject.tree : statement.changeDigest === subject.changeDigest;
}

function counted(approval: VerifiedApproval, at: Instant): CountedApproval {
  const { person, roles, key } = approval.signer;
  const { envelope, statement, certification } = approval;
  const { expiresAt } = statement;
  const given = { person, roles, at: formatTime(at), via: "signature", key, envelope, expiresAt } as const;
  return certification === null ? given : { ...given, certification: recorded(certification) };
}

function recorded({ authority, principals, from, until }: Certification): CertificationRecord {
  const text = (time: Instant | null): string | null => (time === null ? null : formatTime(time));
  return { authority, principals, from: text(from), until: text(until) };
}

/** null where the record is not what recorded() writes: then it lends nothing. */
export function readCertification({ from, until, ...rest }: CertificationRecord): Certification | null {
  const times = { from: from === null ? null : parseTime(from), until: until === null ? null : parseTime(until) };
  const isUnread = (from !== null && times.from === null) || (until !== null && times.until === null);
  return isUnread ? null : { ...rest, ...times };
}

/** Somebody whose approval would count, if they gave it. */
export interface PossibleApprover {
  readonly person: string;
  readonly roles: readonly string[];
}

/** Names in a message; the rest is a number. */
const MOST_NAMES = 5;

/** The same words with those who could give it, as far as they are known: `one of platform (lin, sam)`. */
export function missingFrom(
  rule: ApprovalRule,
  given: readonly Pick<CountedApproval, "person" | "roles">[],
  able: readonly PossibleApprover[] | undefined,
): readonly string[] {
  const missing = missingApprovals(rule, given);
  if (able === undefined) return missing;
  return missing.map((words) => {
    const role = /^one of (.*)$/s.exec(words)?.[1];
    const people = able.filter((one) => role === undefined || one.roles.includes(role)).map((one) => one.person);
    const more = people.length > MOST_NAMES ? ` and ${people.length - MOST_NAMES} more` : "";
    return `${words} (${people.length === 0 ? "nobody who is listed and had no hand in it" : `${people.slice(0, MOST_NAMES).join(", ")}${more}`})`;
  });
}

/** What a rule still lacks, as words for people; empty when it is met. */
export function missingApprovals(
  rule: ApprovalRule,
  given: readonly Pick<CountedApproval, "person" | "roles">[],
): readonly string[] {
  const roles = rule.roles.filter((role) => !given.some((approval) => approval.roles.includes(role)));
  const missing = roles.map((role) => `one of ${role}`);
  const people = new Set(given.map((approval) => approval.person));
  const more = rule.count - people.size - roles.length;
  if (more > 0) missing.push(more === 1 ? "one more person" : `${more} more people`);
  return missing;
}
