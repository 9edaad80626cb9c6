/** Builders for policy tests: the real toolchain, small policies, small documents. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../src/lib/canonical.ts";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { buildPolicySet } from "../../src/policy/compile.ts";
import { openCompiledCache } from "../../src/policy/compiled-cache.ts";
import { type EngineLimits, openPolicyEngine } from "../../src/policy/engine.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import type { PolicyEngine, PolicyFile, PolicySet } from "../../src/policy/policy-set.ts";
import { locateToolchain, openToolchain, type Toolchain, type ToolchainOptions } from "../../src/policy/toolchain.ts";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A test, or a whole file by its `after`: a process and a thread for each test would cost more than what they are asked. */
export type Scope = Pick<TestContext, "after"> | { after(close: () => Promise<void>): void };

export function realToolchain(t: Scope, options: Partial<ToolchainOptions> = {}): Toolchain {
  const binary = options.binary ?? locateToolchain(ROOT);
  assert.ok(options.binary !== undefined || existsSync(binary), `${binary} is missing; run: npm run build`);
  const toolchain = openToolchain({ binary, sandbox: "seccomp", deadlineMs: 60_000, maxRequests: 1000, ...options });
  t.after(() => toolchain.close());
  return toolchain;
}

const TEST_LIMITS: EngineLimits = {
  jobDeadlineMs: 60_000,
  totalDeadlineMs: 120_000,
  memoryBytes: 64 * 1024 * 1024,
};

export function engine(t: Scope, limits: Partial<EngineLimits> = {}): PolicyEngine {
  const opened = openPolicyEngine({ ...TEST_LIMITS, ...limits });
  t.after(() => opened.close());
  return opened;
}

/** METADATA `custom` lines beyond id, level and fix, and the body of the package. */
export function policy(id: string, body: string, custom: readonly string[] = []): PolicyFile {
  const lines = [
    "# METADATA",
    `# title: ${id}`,
    "# custom:",
    `#   id: ${id}`,
    "#   level: high",
    "#   fix: Do something else.",
    ...custom.map((line) => `#   ${line}`),
    `package rules.${id.replaceAll("-", "_")}`,
    "",
    body,
    "",
  ];
  return { path: `${id}/policy.rego`, text: lines.join("\n") };
}

/** A rule that denies whatever object has the label `bad`. */
export function denyLabel(id: string, custom: readonly string[] = []): PolicyFile {
  return policy(
    id,
    `deny contains {"message": "the label says so", "at": "/metadata/labels/bad"} if input.resource.object.metadata.labels.bad`,
    custom,
  );
}

export function build(
  t: Scope,
  files: readonly PolicyFile[],
  toolchain: Toolchain = realToolchain(t),
): Promise<PolicySet> {
  return buildPolicySet({ toolchain, files, cache: openCompiledCache(null) });
}

const SUBJECT: PolicyInput["subject"] = {
  kind: "proposed",
  target: { name: "prod", repository: "shop", branch: "main", path: "clusters/prod", labels: {}, mode: "enforce" },
  time: "2026-11-21T10:00:00.000Z",
};

const CHANGE: NonNullable<PolicyInput["change"]> = {
  base: "b".repeat(40),
  head: "a".repeat(40),
  tree: "c".repeat(40),
  author: "Ada <ada@example.com>",
  kinds: [],
  paths: [],
  resources: [],
  pullRequest: null,
};

const SHARED = {
  version: 1,
  subject: SUBJECT,
  change: CHANGE,
  commits: [],
  approvals: [],
  checks: [],
  request: null,
} as const;

export interface DocumentParts {
  readonly kind?: string;
  readonly namespace?: string;
  readonly labels?: JsonObject;
  readonly object?: JsonObject;
}

export function document(
  name: string,
  { kind = "ConfigMap", namespace = "apps", labels = {}, object }: DocumentParts = {},
): PolicyInput {
  const id = { group: "", version: "v1", kind, namespace, name };
  const whole = object ?? { apiVersion: "v1", kind, metadata: { name, namespace, labels } };
  return { ...SHARED, pod: null, resource: { id, action: "create", object: whole, previous: null, origin: null } };
}

export const CHANGE_DOCUMENT: PolicyInput = { ...SHARED, pod: null, resource: null };

/** Asserts that the promise is rejected with this code, and gives the error back for more. */
export async function rejected(promise: Promise<unknown>, code: Code): Promise<SluiceError> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    return thrown;
  }
  return assert.fail(`resolved; expected ${code}`);
}
