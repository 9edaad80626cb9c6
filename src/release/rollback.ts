/**
 * A rollback is a new release with an earlier sequence's objects. The gate has them judged by the present judge like any
 * other state; here are the pieces around that: which objects they are, the entry that says who wanted it, and which tip
 * stays unreleased until a newer commit lands or a named person resumes.
 */

import { decodeUtf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, LoggedEntry } from "../log/entry.ts";
import type { Resource, ResourceId } from "../render/resource.ts";
import { readEntries } from "./holds.ts";
import { objectFile, objectName } from "./object-file.ts";
import type { ObjectStore } from "./object-store.ts";
import { releaseOf, type SignedRelease } from "./record.ts";
import type { ReleaseObject } from "./release.ts";

export interface RollbackRequest {
  readonly target: string;
  /** The sequence whose objects come back. */
  readonly to: number;
  readonly reason: string;
  /** The named person. */
  readonly by: string;
  /** The landed tip that is left behind. */
  readonly abandoned: string;
}

/** @throws SluiceError `release-unknown` */
export async function findRelease(log: DecisionLog, target: string, sequence: number): Promise<SignedRelease> {
  const terms = [{ kind: "release", value: String(sequence) }] as const;
  for (const entry of await log.find({ target, kinds: ["release"], terms, limit: 2 })) {
    const found = releaseOf(entry);
    if (found.release.sequence === sequence && found.release.target === target) return found;
  }
  throw new SluiceError("release-unknown", `${target} has no release ${sequence}.`, {
    fix: `sluice log list --target ${target} --kind release`,
  });
}

/** The objects of an earlier release as resources to be judged again, each checked against its digest and its name. @throws `object-lost` */
export async function releasedResources(signed: SignedRelease, objects: ObjectStore): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const object of signed.release.objects) {
    const bytes = await objects.get(object.sha256);
    resources.push(asResource(signed.release.sequence, object, bytes));
  }
  return resources;
}

function asResource(sequence: number, { file, sha256 }: ReleaseObject, bytes: Uint8Array): Resource {
  const canonical = decodeUtf8(bytes) ?? "";
  const object = parseObject(canonical);
  const id = object === null ? null : identityOf(object);
  if (object === null || id === null || objectFile(id) !== file || canonicalJson(object) !== canonical) {
    throw new SluiceError("object-lost", `Object ${objectName(file)} of release ${sequence} is not what it was.`);
  }
  const origin = { file: `releases/${sequence}/objects/${file}`, line: 1, document: 0, at: "", tool: "plain" } as const;
  return { id, object, canonical, sha256, origin };
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** `group/version` or `version`, kind, metadata.namespace or "", metadata.name; null where one is not a text. */
function identityOf(object: JsonObject): ResourceId | null {
  const metadata = (object["metadata"] ?? {}) as JsonObject;
  const texts = [object["apiVersion"], object["kind"], metadata["namespace"] ?? "", metadata["name"]];
  if (!texts.every((text): text is string => typeof text === "string")) return null;
  const [apiVersion = "", kind = "", namespace = "", name = ""] = texts;
  const slash = apiVersion.lastIndexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return kind === "" || name === "" ? null : { group, version: apiVersion.slice(slash + 1), kind, namespace, name };
}

/** Logged before the rollback is judged. @throws SluiceError `hold-unnamed` without a person or a reason */
export function rollbackDraft(request: RollbackRequest, code: string | null): EntryDraft {
  if (request.by.trim() === "" || request.reason.trim() === "") {
    throw new SluiceError("hold-unnamed", "A rollback needs a person's name and a reason.", {
      fix: `sluice rollback ${request.target} --to ${request.to} --reason TEXT`,
    });
  }
  return {
    kind: "rollback",
    target: request.target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { abandoned: request.abandoned },
    digests: { policies: null, trust: null, configuration: null, waivers: null, code },
    disclosed: { to: request.to, reason: request.reason, by: request.by },
    terms: [
      { kind: "person", value: request.by },
      { kind: "release", value: String(request.to) },
      { kind: "commit", value: request.abandoned },
    ],
  };
}

/**
 * The landed commit of the target that must not be released by itself, or null: of the newest rollback that was released,
 * since nothing was left behind by one that was denied, and none where a named person resumed the target after it.
 */
export async function readAbandoned(log: DecisionLog, target: string): Promise<string | null> {
  for (const entry of (await readEntries(log, ["rollback", "resume"], target)).toReversed()) {
    const { kind, subject } = entry.leaf;
    if (kind === "resume" && entry.disclosed["scope"]?.value === target) return null;
    if (kind === "rollback" && (await wasReleased(log, target, entry))) return subject["abandoned"] ?? null;
  }
  return null;
}

/** A release that no longer says whether it was a rollback counts as one: doubt never releases. */
async function wasReleased(log: DecisionLog, target: string, { index }: LoggedEntry): Promise<boolean> {
  const [next] = await log.find({ target, kinds: ["release"], order: "oldest", after: index, limit: 1 });
  return next !== undefined && next.disclosed["rollbackOf"]?.value !== null;
}
