/** `sluice.yaml`: lies in the repository and says what; always read at the judge. */
import * as z from "zod";
import type { ApprovalRule } from "../decision/approval.ts";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import type { SignatureRule } from "../signature/requirement.ts";
import { shortName } from "./parts.ts";

export const SLUICE_YAML = "sluice.yaml";

const path = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => !text.startsWith("/") && !text.split("/").includes(".."), "is a path inside the repository");
const day = z.iso.date();
const commit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "is a whole commit id in quotes");

const signatures = z.strictObject({
  require: z
    .enum(["every-commit", "merge-and-head", "head", "none"])
    .default("every-commit")
    .describe("Which commits of a range must verify; none marks the decision unsigned-allowed."),
  signer: z
    .enum(["author", "committer", "either", "any"])
    .default("either")
    .describe("Whose e-mail must belong to the signer."),
  touch: z.boolean().default(false).describe("Only signatures made with a touched hardware key."),
  sha1Until: day
    .optional()
    .describe("Of the SHA-1 signatures that the trust folder allows, those count that were made before this day."),
});

const approvals = z.strictObject({
  count: z.int().min(0).max(20).default(0).describe("How many distinct people."),
  roles: z.array(z.string().min(1)).default([]).describe("One of the people has each of these roles."),
  accept: z
    .array(z.enum(["signed", "forge"]))
    .min(1)
    .default(["signed"])
    .describe("Kinds of approval that count; forge is not supported yet."),
  bind: z
    .enum(["tree", "change"])
    .default("tree")
    .describe("What an approval is bound to: the merged tree, or the difference."),
});

const permit = z.strictObject({
  prune: z.int().min(0).max(100).default(30).describe("Percentage of the objects that one release may remove."),
  empty: z.boolean().default(false).describe("Whether a release may remove the last object."),
  until: day.describe("First day on which the permit no longer counts."),
});

const target = z.strictObject({
  branch: z.string().min(1).max(250).describe("Branch whose landed commits are released."),
  path: path.describe("Folder of the target."),
  render: z
    .enum(["plain", "kustomize", "helm", "flux", "argocd", "terraform"])
    .optional()
    .describe("How the folder is rendered; told apart by looking when absent."),
  mode: z.enum(["observe", "warn", "enforce"]).default("enforce").describe("What the verdict does; never what it is."),
  labels: z.record(z.string(), z.string()).default({}).describe("Free labels, shown to policies."),
  signatures: signatures.prefault({}).describe("What is asked of commits."),
  approvals: approvals.prefault({}).describe("What is asked of other people."),
  after: commit.optional().describe("For previews: commits up to this one are not looked at."),
  unruled: z.enum(["report", "deny"]).default("report").describe("What happens to objects that no rule selected."),
  permit: permit.optional().describe("Mass effects, landed before they are used."),
});

export const sluiceSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  policies: path.default("policies/").describe("Folder of Rego policies."),
  trust: path.default("trust/").describe("Folder with people.yaml."),
  waivers: path.default("waivers.yaml").describe("File of waivers; it may be absent."),
  ignore: z
    .array(z.string().min(1).max(500))
    .default([])
    .describe("Glob patterns of paths that are neither judged nor released."),
  targets: z
    .record(shortName, target)
    .refine((all) => Object.keys(all).length > 0, "names at least one target")
    .describe("By name: a branch and a path, how it is judged, what people call an environment."),
});

export type SluiceYaml = z.infer<typeof sluiceSchema>;
export type TargetYaml = SluiceYaml["targets"][string];

/** @throws SluiceError `configuration-invalid` with line, column and the nearest known key; `not-supported` */
export function readSluiceYaml(text: string, file: string = SLUICE_YAML): SluiceYaml {
  const parsed = readDocument(text, file, sluiceSchema, "configuration-invalid");
  for (const [name, one] of Object.entries(parsed.targets)) refuseUnsupported(name, one);
  return parsed;
}

function refuseUnsupported(name: string, one: TargetYaml): void {
  if (one.approvals.accept.includes("forge")) throw unsupported(name, "approvals given on a forge", "accept: [signed]");
  if (one.render !== undefined && one.render !== "plain")
    throw unsupported(name, `rendering by ${one.render}`, "plain manifests and render: plain");
}

function unsupported(name: string, what: string, instead: string): SluiceError {
  return new SluiceError("not-supported", `Target ${name} asks for ${what}, which is not there yet.`, {
    fix: `use ${instead}`,
  });
}

export function signatureRule(one: TargetYaml): SignatureRule {
  const { require, signer, touch } = one.signatures;
  return { require, signer, touch };
}

export function approvalRule(one: TargetYaml): ApprovalRule {
  return one.approvals;
}

/** What a permit allows at this time; null when there is none or it is over. */
export function currentPermit(one: TargetYaml, at: number): { readonly prune: number; readonly empty: boolean } | null {
  if (one.permit === undefined || formatTime(at).slice(0, 10) >= one.permit.until) return null;
  return { prune: one.permit.prune, empty: one.permit.empty };
}
