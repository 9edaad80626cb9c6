/** `sluice log reconcile`: what git, the log and the cluster say of one target, held against each other. */
import { isAbsolute, resolve } from "node:path";
import { branchTip } from "../gate/proposal.ts";
import { logPlace } from "../gate/wiring.ts";
import type { CommitId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { compareAuditLogs, releasesInForce } from "../log/reconcile/audit-side.ts";
import { type BranchLine, compareBranch, type Period } from "../log/reconcile/compare.ts";
import { readFacts, said } from "../log/reconcile/facts.ts";
import { openLogReader } from "../log/stores.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { timeOption } from "./log-list.ts";
import { CONFIG_OPTION, gateConfiguration, REPO_OPTION, required, withRepository } from "./opening.ts";
import { type Reconciliation, reconciliationReport, reconciliationText } from "./reports/reconciliation.ts";

const MAXIMUM_COMMITS = 1_000_000;

export const logReconcile: Command = {
  name: "log reconcile",
  summary: "hold git, the log and the cluster against each other",
  usage: [
    "log reconcile --repo DIR --target T --config gate.yaml [--from TIME] [--to TIME] [--audit FILE... --agent-user NAME...]",
    "log reconcile --repo DIR --target T --log FILE [--key VKEY]... [--branch NAME] ...",
  ],
  options: {
    repo: REPO_OPTION,
    target: { type: "string", value: "T", description: "the target" },
    config: CONFIG_OPTION,
    log: { type: "string", value: "FILE", description: "a copy of the log instead of the gate's own" },
    key: { type: "string", multiple: true, value: "VKEY", description: "verifier key of that copy; may be repeated" },
    branch: { type: "string", value: "NAME", description: "the branch (default: the target's)" },
    from: { type: "string", value: "TIME", description: "from this time on (RFC 3339 in UTC, or a day)" },
    to: { type: "string", value: "TIME", description: "before this time (default: now)" },
    audit: {
      type: "string",
      multiple: true,
      value: "FILE",
      description: "exported audit log of the API server, an audit.k8s.io/v1 Event a line; may be repeated",
    },
    "agent-user": {
      type: "string",
      multiple: true,
      value: "NAME",
      description: "who may write what is released, as the audit log names it; may be repeated",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "they agree"],
    [1, "they differ: every difference is listed"],
  ],
  example:
    "sluice log reconcile --target prod --from 2026-10-01 --config gate.yaml\nlists commits without a decision, and decisions without a commit",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const target = required(invocation, "target", "T");
  const [from = null, to = null] = [timeOption(invocation, "from"), timeOption(invocation, "to")];
  if (from !== null && to !== null && from >= to)
    throw new SluiceError("usage", "--from is not before --to.", { fix: "--from 2026-10-01 --to 2027-01-01" });
  const audit = auditOf(invocation);
  const { log, branch: configured, isKeyChecked } = await openWanted(invocation, target);
  const done = invocation.output.progress("comparing");
  try {
    const reconciliation = await reconcile(invocation, log, target, configured, { from, to }, audit);
    const whole = { ...reconciliation, isKeyChecked };
    answer(invocation, reconciliationReport(whole), (paint) => reconciliationText(whole, paint));
    return reconciliation.differences.length === 0 ? 0 : 1;
  } finally {
    done();
    await log.close();
  }
}

interface WantedAudit {
  readonly files: readonly string[];
  readonly users: ReadonlySet<string>;
}

function auditOf(invocation: Invocation): WantedAudit | null {
  const files = listOption(invocation, "audit").map((file) => resolve(invocation.folder, file));
  const users = new Set(listOption(invocation, "agent-user"));
  if (files.length === 0 && users.size === 0) return null;
  if (files.length > 0 && users.size > 0 && !users.has("")) return { files, users };
  throw new SluiceError("usage", "An audit log is compared with the user that the agent writes as.", {
    fix: "--audit FILE --agent-user system:serviceaccount:sluice:agent",
  });
}

interface Opened {
  readonly log: DecisionLog;
  /** null: what the log's newest decision says. */
  readonly branch: string | null;
  readonly isKeyChecked: boolean;
}

async function openWanted(invocation: Invocation, target: string): Promise<Opened> {
  const file = textOption(invocation, "log");
  const named = textOption(invocation, "branch") ?? null;
  if (file !== undefined && textOption(invocation, "config") === undefined) {
    const keys = listOption(invocation, "key");
    const path = isAbsolute(file) ? file : resolve(invocation.folder, file);
    const log = await openLogReader({ store: `sqlite:${path}`, ...(keys.length === 0 ? {} : { keys }) });
    return { log, branch: named, isKeyChecked: keys.length > 0 };
  }
  if (file !== undefined)
    throw new SluiceError("usage", "There are two logs to read.", { fix: "--config gate.yaml, or --log FILE" });
  const configuration = await gateConfiguration(invocation);
  const { targets, log } = configuration.gate;
  const known = Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (known === undefined)
    throw new SluiceError("target-unknown", `gate.yaml has no target ${target}.`, {
      fix: `one of ${Object.keys(targets).join(", ")}`,
    });
  const reader = await openLogReader({ ...logPlace(configuration), origin: log.origin });
  return { log: reader, branch: named ?? known.branch, isKeyChecked: false };
}

async function reconcile(
  invocation: Invocation,
  log: DecisionLog,
  target: string,
  configured: string | null,
  period: Period,
  audit: WantedAudit | null,
): Promise<Omit<Reconciliation, "isKeyChecked">> {
  const facts = await readFacts(log, target);
  const { adopted } = facts;
  if (adopted === null)
    throw new SluiceError("target-not-adopted", `The log has no first approved state of ${target}.`, {
      fix: `sluice adopt ${target} --config gate.yaml --reason TEXT`,
    });
  const branch = configured ?? (await loggedBranch(log, target));
  const line = await withRepository(invocation, async ({ repository }) =>
    branchLine(repository, await branchTip(repository, branch), adopted),
  );
  const compared = compareBranch(facts, line, period);
  const { origin, size } = await log.checkpoint();
  const common = { target, branch, origin, size, period, adopted, git: compared.git, log: compared.log };
  if (audit === null) return { ...common, audit: null, differences: compared.differences };
  const inForce = await releasesInForce(log, facts, period);
  const cluster = compareAuditLogs(audit.files, inForce.releases, audit.users, period);
  if (cluster.answered === 0)
    throw new SluiceError("audit-log-empty", "The audit log has no line of an answered request.", {
      fix: "export the stage ResponseComplete, at level Metadata or above",
    });
  const differences = [...compared.differences, ...inForce.differences, ...cluster.differences];
  return { ...common, audit: cluster, differences };
}

/** The branch that the target's newest decision was about. */
async function loggedBranch(log: DecisionLog, target: string): Promise<string> {
  const newest = await log.latest(target, ["decision"]);
  const facts = newest === null ? undefined : said(newest, "target");
  const branch = (facts as { readonly branch?: unknown } | null | undefined)?.branch;
  if (typeof branch === "string") return branch;
  throw new SluiceError("usage", `The log does not say which branch ${target} is on.`, { fix: "--branch main" });
}

/** First parents from the tip down to the adopted commit, or to the root where it is not among them. */
async function branchLine(repository: GitRepository, tip: CommitId, adopted: string): Promise<BranchLine> {
  const commits: string[] = [];
  let at: CommitId | undefined = tip;
  while (at !== undefined && at !== adopted) {
    if (commits.length >= MAXIMUM_COMMITS)
      throw new SluiceError("range-too-large", `The branch has more than ${MAXIMUM_COMMITS} commits.`);
    commits.push(at);
    at = (await repository.commit(at)).parents[0];
  }
  return { commits: commits.reverse(), reachesAdopted: at === adopted };
}
