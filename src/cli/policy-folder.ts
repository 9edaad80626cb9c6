/** A folder of policies as it lies on disk: the policies, their tests, and the examples beside them. */
import { dirname, join, relative, resolve } from "node:path";
import { cacheKey } from "../config/cache-key.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { type CompiledCache, openCompiledCache } from "../policy/compiled-cache.ts";
import { DATA_FILE, policyFile } from "../policy/data-files.ts";
import { openPolicyEngine } from "../policy/engine.ts";
import type { PolicyEngine, PolicyFile } from "../policy/policy-set.ts";
import { isPolicyFile } from "../policy/reading.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import type { Invocation } from "./command.ts";
import { readFolderFiles } from "./folder-files.ts";
import { openLockedToolchain, policiesFolder } from "./policy-rules.ts";

const EXAMPLE = /^(?:(.*)\/)?examples\/(allow|deny)\/[^/]+\.(?:ya?ml|json)$/;

export interface ExampleFile {
  /** As people find it from where they stand, like the paths of the policies. */
  readonly path: string;
  readonly text: string;
  readonly expected: "allow" | "deny";
  /** The folder that holds `examples/`, and the rules that it is an example of. */
  readonly folder: string;
}

export interface PolicyFolder {
  /** As it was named, for people. */
  readonly shown: string;
  /** Where the paths of the files start. */
  readonly root: string;
  /** Rego of any kind, objects of Gatekeeper, and data files. */
  readonly files: readonly PolicyFile[];
  readonly examples: readonly ExampleFile[];
}

/**
 * Without a name the folder that sluice.yaml names. Inside the current folder paths start there, which at the root of
 * a repository gives the digest that the gate computes; elsewhere they start at the folder itself.
 * @throws SluiceError `configuration-missing`, `usage`, `policy-does-not-compile` for a file that is not UTF-8
 */
export function readPolicyFolder(invocation: Invocation, named: string | undefined): PolicyFolder {
  const shown = named ?? policiesFolder(invocation.folder);
  const folder = resolve(invocation.folder, shown);
  const below = relative(invocation.folder, folder);
  const prefix = below.startsWith("..") || resolve(below) === below ? "" : below;
  const found = [...readFolderFiles(folder, isOurs)].map(([path, bytes]) => textFile(prefix, path, bytes));
  return {
    shown,
    root: prefix === "" ? folder : invocation.folder,
    files: found.filter(({ path }) => !EXAMPLE.test(path) || DATA_FILE.test(path)),
    examples: found.filter(({ path }) => EXAMPLE.test(path)).map(exampleFile),
  };
}

function isOurs(path: string): boolean {
  return isPolicyFile(path) || EXAMPLE.test(path);
}

function textFile(folder: string, path: string, bytes: Uint8Array): PolicyFile {
  const text = decodeUtf8(bytes);
  if (text !== null) return policyFile(folder, path, text);
  const file = join(folder, path);
  throw new SluiceError("policy-does-not-compile", `${file} is not UTF-8 text.`, {
    position: { file, line: null, column: null },
  });
}

function exampleFile({ path, text }: PolicyFile): ExampleFile {
  const expected = EXAMPLE.exec(path)?.[2] === "allow" ? "allow" : "deny";
  return { path, text, expected, folder: dirname(dirname(dirname(path))) };
}

export interface PolicyServices {
  readonly toolchain: Toolchain;
  readonly compiledCache: CompiledCache;
  /** Without a memory of earlier answers: here a set may be given another meaning than its digest says. */
  engine(): PolicyEngine;
}

/** Compiler, cache and engine for one piece of work. */
export async function withPolicyServices<T>(
  { surroundings }: Invocation,
  work: (services: PolicyServices) => Promise<T>,
): Promise<T> {
  const key = cacheKey(surroundings);
  const toolchain = openLockedToolchain();
  let opened: PolicyEngine | null = null;
  const engine = (): PolicyEngine => {
    opened ??= openPolicyEngine();
    return opened;
  };
  const folder = join(surroundings.cacheFolder, "policies");
  try {
    return await work({ toolchain, compiledCache: openCompiledCache(key === null ? null : { folder, key }), engine });
  } finally {
    await toolchain.close();
    await (opened as PolicyEngine | null)?.close();
  }
}
