/** Step 12: the decision as an entry of the log. Allows as fully as denials. */
import type { Decision } from "../decision/decision.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { VERSION } from "../lib/version.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDigests, EntryDraft, Receipt, Term, TermKind } from "../log/entry.ts";
import { isMaskValue } from "../log/masking/mask.ts";
import { resourceName } from "../render/resource.ts";

export interface Record extends Receipt {
  readonly origin: string;
}

/** A preview records nothing, and says so. */
export async function recordNothing(): Promise<null> {
  return null;
}

/** Resolves when the entry is durable under a published checkpoint; rejects when the log cannot write: then there is no verdict. */
export function recorder(log: DecisionLog): (decision: Decision) => Promise<Record> {
  return async (decision) => ({ ...(await log.append(decisionEntry(decision))), origin: log.origin });
}

function decisionEntry(decision: Decision): EntryDraft {
  return {
    kind: "decision",
    target: decision.target.name,
    purpose: decision.request?.dryRun === true ? "dry-run" : "gate",
    verdict: decision.verdict,
    reasons: [...new Set(decision.reasons.map((reason) => reason.code))].sort(),
    subject: subjectOf(decision),
    digests: entryDigests(decision.digests),
    disclosed: disclose(decision),
    terms: termsOf(decision),
  };
}

/** Landed decisions name their `commit`, proposed ones their `head`, admissions neither: so a leaf alone tells them apart. */
function subjectOf({ subject, base, head, judge, tree }: Decision): EntryDraft["subject"] {
  if (subject === "admission") return { judge };
  return subject === "landed" ? { base, commit: head, judge, tree } : { base, head, judge, tree };
}

export function entryDigests(digests: Partial<EntryDigests>): EntryDigests {
  const { policies = null, trust = null, configuration = null, waivers = null } = digests;
  return { policies, trust, configuration, waivers, code: VERSION };
}

/** One commitment a part, so that a part can be erased later without the others. */
export function disclose(decision: Decision): JsonObject {
  const { approvals, findings, objects, reasons, target, verifications, waivers, digests, request, external, ...rest } =
    decision;
  const asked = { ...(request === undefined ? {} : { request }), ...(external === undefined ? {} : { external }) };
  const parts = {
    approvals,
    findings,
    objects,
    reasons,
    target,
    verifications,
    waivers,
    digests,
    ...asked,
    evidence: rest,
  };
  return JSON.parse(canonicalJson(parts as unknown as JsonValue)) as JsonObject;
}

/** The decision as it was recorded, with the placeholders of masks; null where a part was erased. */
export function disclosedDecision(
  disclosed: Readonly<{ [name: string]: { readonly value: JsonValue } | null }>,
): Decision | null {
  const parts: { [name: string]: JsonValue } = {};
  for (const [name, part] of Object.entries(disclosed)) {
    if (isMaskValue(name)) continue;
    if (part === null) return null;
    parts[name] = part.value;
  }
  const { evidence, ...others } = parts;
  if (evidence === undefined || evidence === null || typeof evidence !== "object") return null;
  return { ...(evidence as JsonObject), ...others } as unknown as Decision;
}

function termsOf(decision: Decision): readonly Term[] {
  const changed = decision.objects.filter((object) => object.action !== "unchanged");
  const people = [
    ...decision.verifications.flatMap((one) => (one.signer === null ? [] : [one.signer.person])),
    ...decision.approvals.given.map((approval) => approval.person),
    ...(decision.request === undefined ? [] : [decision.request.user]),
  ];
  const isAboutCommits = decision.request === undefined;
  return [
    ...terms("subject", [decision.subject]),
    ...terms(
      "resource",
      changed.map((object) => resourceName(object.id)),
    ),
    ...terms("person", people),
    ...terms("key", [
      ...decision.verifications.flatMap((one) => (one.signer === null ? [] : [one.signer.key])),
      ...decision.approvals.given.flatMap(({ key, certification }) => [
        key,
        ...(certification ? [certification.authority] : []),
      ]),
    ]),
    ...terms(
      "rule",
      decision.findings.map((finding) => finding.rule),
    ),
    ...terms("commit", isAboutCommits ? [decision.head, ...decision.verifications.map((one) => one.commit)] : []),
    ...terms("tree", isAboutCommits && decision.tree !== null ? [decision.tree] : []),
    ...terms(
      "waiver",
      decision.waivers.map((waiver) => waiver.id),
    ),
  ];
}

export function terms(kind: TermKind, values: readonly string[]): readonly Term[] {
  return [...new Set(values)].sort().map((value) => ({ kind, value }));
}
