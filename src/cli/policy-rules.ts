/** The rules of policies that lie on disk, read by the locked compiler. */
import { dirname, join } from "node:path";
import { packageRoot } from "../gate/judge-wiring.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { problemsError, refusal } from "../policy/compile.ts";
import { policyFile } from "../policy/data-files.ts";
import type { Rule } from "../policy/policy-set.ts";
import { isPolicyFile, readPolicies, selectPolicies } from "../policy/reading.ts";
import { locateToolchain, openToolchain, type Toolchain } from "../policy/toolchain.ts";
import { readTreeFolder } from "./folder-files.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

const DEADLINE_MS = 30_000;
const MAXIMUM_REQUESTS = 200;

export interface FoundRule {
  readonly rule: Rule;
  /** Where its file stands, for people. */
  readonly file: string;
  /** The first of its deny examples; null where it has none. */
  readonly example: string | null;
}

/** Rules of the folder that `policies:` in sluice.yaml names (policies/ without one), then those of the library. */
export async function findRules(folder: string): Promise<readonly FoundRule[]> {
  const own = policiesFolder(folder);
  const toolchain = openLockedToolchain();
  try {
    const found = await rulesIn(folder, own, own, toolchain);
    const shipped = await rulesIn(packageRoot(), "policies", "the library's policies/", toolchain);
    const known = new Set(found.map(({ rule }) => rule.id));
    return [...found, ...shipped.filter(({ rule }) => !known.has(rule.id))];
  } finally {
    await toolchain.close();
  }
}

export function openLockedToolchain(): Toolchain {
  const binary = locateToolchain(packageRoot());
  return openToolchain({ binary, sandbox: "seccomp", deadlineMs: DEADLINE_MS, maxRequests: MAXIMUM_REQUESTS });
}

/** What `policies:` in sluice.yaml names, policies/ without one. */
export function policiesFolder(folder: string): string {
  return workTreeConfiguration(folder)?.policies ?? "policies/";
}

/** @throws SluiceError `policy-does-not-compile`, `policy-metadata`, and the toolchain's own */
async function rulesIn(
  top: string,
  folder: string,
  shown: string,
  toolchain: Toolchain,
): Promise<readonly FoundRule[]> {
  const sources = readTreeFolder(top, folder, isPolicyFile);
  const selected = selectPolicies([...sources].map(([path, bytes]) => policyFile("", path, decodeUtf8(bytes) ?? "")));
  if (selected.files.length === 0) return [];
  const read = await readPolicies(toolchain, selected);
  if ("ok" in read) throw problemsError(read.errors);
  if (read.problems.length > 0) throw refusal(read.problems);
  const prefix = shown.endsWith("/") ? shown : `${shown}/`;
  return read.rules.map((rule) => ({
    rule,
    file: `${prefix}${rule.file}`,
    example: firstExample(top, join(folder, dirname(rule.file), "examples", "deny")),
  }));
}

function firstExample(top: string, folder: string): string | null {
  const [first] = readTreeFolder(top, folder, (path) => /\.(?:ya?ml|json)$/.test(path)).values();
  return first === undefined ? null : decodeUtf8(first);
}
