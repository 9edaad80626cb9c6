/** The table of commands. Each file brings its own dependencies, so that `check` never loads what only others need. */
import type { Command, CommandEntry } from "./command.ts";

export const COMMANDS: readonly CommandEntry[] = [
  entry(
    "init",
    "look at a repository and write a start that blocks nothing",
    async () => (await import("./init.ts")).init,
  ),
  entry("adopt", "make the first approved state of a target", async () => (await import("./adopt.ts")).adopt),
  entry("suggest", "name the cheapest findings to mend next", async () => (await import("./suggest.ts")).suggest),
  entry("check", "judge a proposed change", async () => (await import("./check.ts")).check),
  entry("verify", "verify signatures only", async () => (await import("./verify.ts")).verify),
  entry("approve", "sign a yes to exactly this content", async () => (await import("./approve.ts")).approve),
  entry("release", "judge what landed, log it, release it", async () => (await import("./release.ts")).release),
  entry("review", "review what one operator alone released", async () => (await import("./review.ts")).review),
  entry("head", "sign a fresh head", async () => (await import("./head.ts")).head),
  entry("rollback", "release an earlier sequence again", async () => (await import("./rollback.ts")).rollback),
  entry("hold", "stop releases in a scope", async () => (await import("./hold.ts")).hold),
  entry("resume", "end a hold", async () => (await import("./hold.ts")).resume),
  entry("serve", "run the gate as a service", async () => (await import("./serve.ts")).serve),
  entry(
    "witness",
    "cosign the checkpoints of logs that others run",
    async () => (await import("./witness.ts")).witness,
  ),
  entry("agent", "verify and apply the current release", async () => (await import("./agent.ts")).agent),
  entry("replay", "decide again what was decided, and compare", async () => (await import("./replay.ts")).replay),
  entry("simulate", "try other policies on recorded decisions", async () => (await import("./simulate.ts")).simulate),
  entry("log list", "search the log", async () => (await import("./log-list.ts")).logList),
  entry("log show", "show one entry", async () => (await import("./log-show.ts")).logShow),
  entry("log why", "say why a resource is live", async () => (await import("./log-why.ts")).logWhy),
  entry("log proof", "write an entry's proof", async () => (await import("./log-proof.ts")).logProof),
  entry("log verify", "verify a log from bytes alone", async () => (await import("./log-verify.ts")).logVerify),
  entry(
    "log export",
    "write the auditor's bundle of a period",
    async () => (await import("./log-export.ts")).logExport,
  ),
  entry(
    "log reconcile",
    "hold git, the log and the cluster against each other",
    async () => (await import("./log-reconcile.ts")).logReconcile,
  ),
  entry(
    "log redact",
    "erase disclosed values; proofs stay valid",
    async () => (await import("./log-redact.ts")).logRedact,
  ),
  entry(
    "log retain",
    "erase values that are older than they are kept",
    async () => (await import("./log-retain.ts")).logRetain,
  ),
  entry(
    "log backup",
    "copy the log while the gate goes on, and verify the copy",
    async () => (await import("./log-backup.ts")).logBackup,
  ),
  entry(
    "log restore",
    "put a backup where the log was lost",
    async () => (await import("./log-restore.ts")).logRestore,
  ),
  entry("test", "judge plain files, with Conftest's flags", async () => (await import("./test.ts")).testFiles),
  entry("policy build", "compile policies to one module", async () => (await import("./policy-build.ts")).policyBuild),
  entry("policy check", "find mistakes in policies", async () => (await import("./policy-check.ts")).policyCheck),
  entry("policy test", "run the tests of policies", async () => (await import("./policy-test.ts")).policyTest),
  entry(
    "policy verify",
    "run Gatekeeper's suites of tests",
    async () => (await import("./policy-verify.ts")).policyVerify,
  ),
  entry("policy eval", "say what policies find in a file", async () => (await import("./policy-eval.ts")).policyEval),
  entry("policy bench", "measure what rules cost", async () => (await import("./policy-bench.ts")).policyBench),
  entry("policy docs", "write a catalogue of the rules", async () => (await import("./policy-docs.ts")).policyDocs),
  entry("policy fmt", "write policies as opa fmt does", async () => (await import("./policy-fmt.ts")).policyFmt),
  entry("policy input", "print what a policy sees", async () => (await import("./policy-input.ts")).policyInput),
  entry(
    "policy new",
    "write a new rule with test and examples",
    async () => (await import("./policy-new.ts")).policyNew,
  ),
  entry(
    "waiver new",
    "write an exception that ends into waivers.yaml",
    async () => (await import("./waiver-new.ts")).waiverNew,
  ),
  entry(
    "trust list",
    "show people, robots, forges, keys and authorities",
    async () => (await import("./trust-list.ts")).trustList,
  ),
  entry(
    "trust check",
    "show who could approve, and what expires",
    async () => (await import("./trust-check.ts")).trustCheck,
  ),
  entry(
    "trust import",
    "write a first people.yaml from what is there",
    async () => (await import("./trust-import.ts")).trustImport,
  ),
  entry(
    "trust request",
    "print the block with which a colleague adds you",
    async () => (await import("./trust-request.ts")).trustRequest,
  ),
  entry("trust add", "write a person or a key into people.yaml", async () => (await import("./trust-add.ts")).trustAdd),
  entry(
    "trust as-of",
    "show people, keys and roles as they were",
    async () => (await import("./trust-as-of.ts")).trustAsOf,
  ),
  entry(
    "signing setup",
    "tell git to sign your commits with an SSH key",
    async () => (await import("./signing-setup.ts")).signingSetup,
  ),
  entry("token new", "let somebody call the service", async () => (await import("./token-new.ts")).tokenNew),
  entry("keygen", "make a log, release, agent or witness key", async () => (await import("./keygen.ts")).keygen),
  entry("config check", "check configuration files", async () => (await import("./config-check.ts")).configCheck),
  entry(
    "config schema",
    "print the JSON Schemas of configuration files",
    async () => (await import("./config-schema.ts")).configSchema,
  ),
  entry("explain", "say what a code or a rule means", async () => (await import("./explain.ts")).explain),
  entry("doctor", "check this machine, repository and gate", async () => (await import("./doctor.ts")).doctor),
  entry(
    "completion",
    "print what lets a shell complete sluice's words",
    async () => (await import("./completion.ts")).completion,
  ),
  entry("demo", "see the main job happen", async () => (await import("./demo.ts")).demo),
];

/** Commands that are planned and refused `not-supported` until they exist. */
export const PLANNED: readonly string[] = ["drift"];

function entry(name: string, summary: string, load: () => Promise<Command>): CommandEntry {
  return { name, summary, load };
}
