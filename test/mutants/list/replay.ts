import type { Mutant } from "../mutant.ts";

const REPLAY = "test/cli/replay.heavy.test.ts";
const AGAIN = "replay decides every decision again, byte for byte, whatever came after and however the caches are";

export const REPLAYING: readonly Mutant[] = [
  {
    name: "reads the clock more than once for one decision",
    file: "src/gate/gate.ts",
    find: "{ ...services, clock: () => now }",
    replace: "services",
    test: REPLAY,
    named: AGAIN,
  },
  {
    name: "replays with approvals that came later",
    file: "src/gate/replay.ts",
    find: "known.has(name.slice(prefix.length))",
    replace: "name.startsWith(prefix)",
    test: REPLAY,
    named: AGAIN,
  },
  {
    name: "replays with what the log learnt later",
    file: "src/log/as-of.ts",
    find: "Math.min(query.after ?? index, index)",
    replace: "query.after ?? Number.MAX_SAFE_INTEGER",
    test: REPLAY,
    named: AGAIN,
  },
  {
    name: "replays values that are not what was recorded",
    file: "src/gate/replay.ts",
    find: "if (disclosure !== null && !matchesCommitment(disclosure,",
    replace: "if (disclosure === undefined && !matchesCommitment(disclosure,",
    test: REPLAY,
    named: "replay withholds what was erased, refuses what was changed, and what is no decision",
  },
];
