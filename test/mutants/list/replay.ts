import type { Mutant } from "../mutant.ts";

const REPLAY = "test/cli/replay.heavy.test.ts";
const AGAIN = "replay decides every decision again, byte for byte, whatever came after and however the caches are";

const SIMULATE = "test/cli/simulate.heavy.test.ts";

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
    name: "answers by what was outside when something was decided before",
    file: "src/gate/repeated.ts",
    find: "sha256, code: failure?.code ?? null",
    replace: "code: failure?.code ?? null",
    test: "test/gate/external.heavy.test.ts",
    named: "what landed is decided anew where what is outside has changed, and only there",
  },
  {
    name: "asks again what was recorded",
    file: "src/gate/replay.ts",
    find: "recordedSources(recorded.external ?? [], ",
    replace: "recordedSources([], ",
    test: "test/gate/external.heavy.test.ts",
    named: "what is outside decides, each time as it is then, and is replayed from what was recorded",
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
    name: "simulates with the policies that decided",
    file: "src/gate/gate.ts",
    find: "services.policies ?? judge.policies",
    replace: "judge.policies",
    test: SIMULATE,
    named: "simulate says decision by decision and rule by rule what a new rule would change, and logs nothing",
  },
  {
    name: "takes for the work of policies what they have no hand in",
    file: "src/gate/simulate.ts",
    find: "if (other.length > 0) return",
    replace: "if (other.length > 99) return",
    test: SIMULATE,
    named: "simulate does not take what gate.yaml has changed for the work of the policies",
  },
  {
    name: "calls a simulation clean that could not look at everything",
    file: "src/cli/simulate-tally.ts",
    find: "counts.notReplayed > 0 ? EXIT.error : EXIT.fine",
    replace: "EXIT.fine",
    test: SIMULATE,
    named: "simulate names and counts what cannot be replayed, and never calls it the same",
  },
];
