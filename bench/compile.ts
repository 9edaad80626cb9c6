/** Policies as they are measured: compiled by the toolchain, each time anew. */
import { buildPolicySet } from "../src/policy/compile.ts";
import { openCompiledCache } from "../src/policy/compiled-cache.ts";
import type { PolicyFile, PolicySet } from "../src/policy/policy-set.ts";
import { locateToolchain, openToolchain } from "../src/policy/toolchain.ts";
import { ROOT } from "../test/policy/support.ts";
import type { Scope } from "../test/support/temp.ts";

export async function compile(scope: Scope, files: readonly PolicyFile[]): Promise<PolicySet> {
  const options = { sandbox: "seccomp", deadlineMs: 300_000, maxRequests: 1000 } as const;
  const toolchain = openToolchain({ binary: locateToolchain(ROOT), ...options });
  scope.after(() => toolchain.close());
  return buildPolicySet({ toolchain, files, cache: openCompiledCache(null) });
}
