/** A reviewed, scoped, expiring exception (FORMS "Waivers"): it marks findings, it never removes one. */
import * as z from "zod";
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { once } from "../lib/once.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import type { Finding } from "../policy/finding.ts";
import { type ResourceId, resourceName } from "../render/resource.ts";

const LONGEST_MS = 180 * 24 * 60 * 60 * 1000;
export const waiversSchema = once(() => {
  const text = z.string().min(1).max(1000);

  return z.array(
    z.strictObject({
      rule: text.describe("Id of the rule, exactly."),
      target: text.describe("Name of the target, exactly."),
      resource: text.describe(
        "Kind/namespace/name, or Kind/name for a cluster-scoped object, exactly; Kind.group/namespace/name for a kind that is not Kubernetes' own; `change` for a rule of scope change.",
      ),
      reason: text.describe("Why the rule does not fit here."),
      ticket: text.optional().describe("Where it was agreed."),
      owner: text.describe("Person in the trust folder who answers for it."),
      until: z.iso.date().describe("First day on which it no longer counts; 180 days ahead at most."),
    }),
  );
});

export interface Waiver {
  /** First 16 hex digits of the SHA-256 of its canonical form. */
  readonly id: string;
  readonly rule: string;
  readonly target: string;
  readonly resource: string;
  readonly reason: string;
  readonly ticket: string | null;
  readonly owner: string;
  readonly until: Instant;
  readonly untilText: string;
}

/** A waiver that marked at least one finding. */
export interface AppliedWaiver {
  readonly id: string;
  readonly rule: string;
  readonly resource: string;
  readonly owner: string;
  readonly until: string;
  readonly ticket: string | null;
}

/** @throws SluiceError `waivers-invalid` with the line */
export function readWaivers(source: string, file: string): readonly Waiver[] {
  const isEmpty = source.split("\n").every((line) => /^\s*(?:#|$)/.test(line));
  if (isEmpty) return [];
  return readDocument(source, file, waiversSchema().nullable(), "waivers-invalid")?.map(waiver) ?? [];
}

/** For a change that brings waivers: each must be short enough already. @throws SluiceError `waiver-too-long` */
export function checkWaivers(waivers: readonly Waiver[], now: Instant): void {
  const long = waivers.find((one) => one.until - now > LONGEST_MS);
  if (long === undefined) return;
  throw new SluiceError(
    "waiver-too-long",
    `The waiver of ${long.rule} for ${long.resource} runs longer than 180 days.`,
    {
      fix: "set `until` to a day within 180 days",
    },
  );
}

export interface Marked {
  readonly findings: readonly Finding[];
  readonly applied: readonly AppliedWaiver[];
}

/** Marks what current waivers of the target cover; `at` is the time of judging. */
export function applyWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  target: string,
  at: Instant,
): Marked {
  const current = waivers.filter((one) => one.target === target && at < one.until && one.until - at <= LONGEST_MS);
  const applied = new Map<string, AppliedWaiver>();
  const marked = findings.map((finding) => {
    const found = finding.waivable ? current.find((one) => covers(one, finding)) : undefined;
    if (found === undefined) return finding;
    applied.set(found.id, summary(found));
    return { ...finding, waivedBy: found.id };
  });
  return { findings: marked, applied: [...applied.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

function covers(waiver: Waiver, finding: Finding): boolean {
  const names = finding.resource === null ? ["change"] : namesOf(finding.resource);
  return waiver.rule === finding.rule && names.includes(waiver.resource);
}

/**
 * What a waiver may call a resource. Anybody may define a kind Deployment in a group of their own, so a kind without its
 * group is one of Kubernetes: only its groups have no dot or end in k8s.io (API conventions, "API groups").
 */
function namesOf(id: ResourceId): readonly string[] {
  const isOwn = !id.group.includes(".") || id.group.endsWith(".k8s.io");
  const withGroup = id.group === "" ? [] : [resourceName({ ...id, kind: `${id.kind}.${id.group}` })];
  return isOwn ? [resourceName(id), ...withGroup] : withGroup;
}

function summary(waiver: Waiver): AppliedWaiver {
  const { id, rule, resource, owner, untilText, ticket } = waiver;
  return { id, rule, resource, owner, until: untilText, ticket };
}

function waiver(source: z.infer<ReturnType<typeof waiversSchema>>[number]): Waiver {
  const { rule, target, resource, reason, owner, until } = source;
  const ticket = source.ticket ?? null;
  const id = sha256Hex(canonicalJson({ rule, target, resource, reason, owner, until, ticket })).slice(0, 16);
  return { id, rule, target, resource, reason, owner, ticket, until: parseTime(until) ?? 0, untilText: until };
}
