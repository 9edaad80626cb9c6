/**
 * changes.csv: a row for each decision of the gate on a landed commit, in the auditor's columns. Only what the entries of
 * the period say is in it; a release, a report or a review that
 * came after the period is in the bundle of the next one.
 */
import type { JsonValue } from "../../lib/canonical.ts";
import type { AuditRow } from "./layout.ts";

const COLUMNS = [
  "change",
  "target",
  "request",
  "ticket",
  "author",
  "signer",
  "reviewers",
  "approved_at",
  "tests",
  "tests_at",
  "verdict",
  "kind",
  "waivers",
  "released_at",
  "applied_at",
  "result",
  "reviewed_after_by",
  "reviewed_after_at",
  "log_index",
  "leaf_hash",
] as const;
type Column = (typeof COLUMNS)[number];

/** Columns for which no entry of version 1 has a source yet: they are empty, which says nothing about the change. */
export const COLUMNS_WITHOUT_SOURCE: readonly Column[] = ["request", "ticket", "author", "tests", "tests_at"];

/** In the order of the log; entries are given to add() in that order. */
export class Changes {
  readonly #rows: Partial<Record<Column, string>>[] = [];
  readonly #byDecision = new Map<number, Partial<Record<Column, string>>>();
  /** By target and sequence: one row may be released once and applied by several agents. */
  readonly #byRelease = new Map<string, Partial<Record<Column, string>>>();
  /** By target and commit: what one operator alone released, until a review comes. */
  readonly #owing = new Map<string, Partial<Record<Column, string>>[]>();
  /** Signers and approvers of every decision of the period: a landing is told by the proposal that it carries. */
  readonly #people = new Map<number, Partial<Record<Column, string>>>();

  get count(): number {
    return this.#rows.length;
  }

  add(row: AuditRow): void {
    if (row.leaf.kind === "decision") this.#addDecision(row);
    if (row.leaf.kind === "release") this.#addRelease(row);
    if (row.leaf.kind === "applied") this.#addApplied(row);
    if (row.leaf.kind === "review") this.#addReview(row);
  }

  /** RFC 4180 with a header; times are UTC. */
  text(): string {
    const lines = this.#rows.map((row) => COLUMNS.map((column) => cell(row[column] ?? "")));
    return [[...COLUMNS], ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
  }

  #addDecision(row: AuditRow): void {
    const { index, leaf, leafHash } = row;
    const own = peopleOf(row);
    this.#people.set(index, own);
    const { commit } = leaf.subject;
    if (leaf.purpose !== "gate" || typeof commit !== "string") return;
    const carried = at(value(row, "evidence"), "carried");
    const isEmergency = leaf.reasons.includes("emergency-release");
    const proposal = Number(at(carried, "index") ?? -1);
    const change: Partial<Record<Column, string>> = {
      ...own,
      ...(proposal < index ? this.#people.get(proposal) : {}),
      change: commit,
      target: leaf.target ?? "",
      verdict: leaf.verdict ?? "",
      kind: isEmergency ? "emergency" : text(at(carried, "how")) || "direct",
      waivers: list(value(row, "waivers"), "id"),
      log_index: String(index),
      leaf_hash: leafHash,
    };
    this.#rows.push(change);
    this.#byDecision.set(index, change);
    if (!leaf.reasons.includes("review-due") || leaf.verdict !== "allow") return;
    const key = reviewKey(row);
    this.#owing.set(key, [...(this.#owing.get(key) ?? []), change]);
  }

  #addRelease(row: AuditRow): void {
    const change = this.#byDecision.get(Number(at(value(row, "decision"), "index") ?? -1));
    if (change === undefined) return;
    change.released_at = row.leaf.time;
    this.#byRelease.set(releaseKey(row), change);
  }

  #addApplied(row: AuditRow): void {
    const change = this.#byRelease.get(releaseKey(row));
    if (change === undefined) return;
    change.applied_at = text(value(row, "at"));
    change.result = text(value(row, "result"));
  }

  /** The first after a decision counts, as for the gate. */
  #addReview(row: AuditRow): void {
    const key = reviewKey(row);
    for (const change of this.#owing.get(key) ?? []) {
      change.reviewed_after_by = text(value(row, "by"));
      change.reviewed_after_at = row.leaf.time;
    }
    this.#owing.delete(key);
  }
}

function peopleOf(row: AuditRow): Partial<Record<Column, string>> {
  const given = at(value(row, "approvals"), "given");
  const signers = elements(value(row, "verifications")).map((one) => at(at(one, "signer"), "person"));
  return { signer: joined(signers), reviewers: list(given, "person"), approved_at: list(given, "at") };
}

function releaseKey(row: AuditRow): string {
  return JSON.stringify([row.leaf.target, value(row, "sequence")]);
}

function reviewKey({ leaf }: AuditRow): string {
  return JSON.stringify([leaf.target, leaf.subject["commit"] ?? null]);
}

/** A disclosed value; null where it was withheld or never said. */
function value({ disclosed }: AuditRow, name: string): JsonValue {
  return Object.hasOwn(disclosed, name) ? (disclosed[name]?.value ?? null) : null;
}

function at(object: JsonValue, name: string): JsonValue {
  if (object === null || typeof object !== "object" || Array.isArray(object) || !Object.hasOwn(object, name))
    return null;
  return (object as Readonly<Record<string, JsonValue>>)[name] ?? null;
}

function elements(list: JsonValue): readonly JsonValue[] {
  return Array.isArray(list) ? list : [];
}

function list(all: JsonValue, name: string): string {
  return joined(elements(all).map((one) => at(one, name)));
}

function joined(values: readonly JsonValue[]): string {
  return [...new Set(values.map(text).filter((one) => one !== ""))].join("; ");
}

function text(one: JsonValue): string {
  return typeof one === "string" ? one : "";
}

/**
 * What a spreadsheet would take for a formula begins with an apostrophe; white space before it is skipped by some of them.
 * Quotes are doubled, and line ends become spaces so that a line is a row.
 */
function cell(content: string): string {
  const flat = content.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, " ");
  const harmless = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(flat) ? `'${flat}` : flat;
  return /[",;\s']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
