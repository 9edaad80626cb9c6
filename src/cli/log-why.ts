/** `sluice log why`: why a resource is live, from signed commit to applied object. */

import { givenReport } from "../gate/json/check.ts";
import { verificationReport } from "../gate/json/verification.ts";
import { type ReviewState, reviewState } from "../gate/review.ts";
import { explainResource, type Why } from "../gate/why.ts";
import { printable } from "../lib/printable.ts";
import { lastRelease } from "../release/record.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { knownTarget } from "./one-target.ts";
import { CONFIG_OPTION, gateConfiguration, required, withGateLog } from "./opening.ts";
import { reviewCommand, reviewOwed } from "./reports/review.ts";

export const logWhy: Command = {
  name: "log why",
  summary: "say why a resource is live",
  usage: ["log why RESOURCE --target T --config gate.yaml"],
  options: {
    target: { type: "string", value: "T", description: "the target" },
    config: CONFIG_OPTION,
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "the chain is there and proven"],
    [1, "it is not live, or the chain is broken"],
  ],
  example:
    "sluice log why Deployment/apps/web --target prod --config gate.yaml\nsays who signed it, who approved it, what judged it, and who applied it",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [resource = ""] = invocation.positionals;
  const target = required(invocation, "target", "T");
  const { gate } = await gateConfiguration(invocation);
  const why = await withGateLog(invocation, async (log) => {
    // One that gate.yaml no longer names may have releases; a name that nothing knows is a slip.
    if ((await lastRelease(log, target)) === null) knownTarget(Object.keys(gate.targets), target, "gate.yaml");
    const found = await explainResource(log, target, resource);
    return { ...found, review: await reviewState(log, found.entry, invocation.clock()) };
  });
  answer(invocation, report(why), () => text(why));
  return why.proven ? 0 : 1;
}

interface Explained extends Why {
  /** Where one operator alone released it. */
  readonly review: ReviewState | null;
}

function report(why: Explained) {
  const { resource, target, release, manifestDigest, decision, entry, proposal, proven, applied, review } = why;
  return {
    apiVersion: "sluice/v1",
    kind: "Why",
    resource,
    target,
    release: {
      sequence: release.sequence,
      commit: release.commit,
      tree: release.tree,
      rollbackOf: release.rollbackOf,
      manifestDigest,
    },
    applied,
    decision: {
      id: decision.id,
      index: entry.index,
      leafHash: entry.leafHash,
      verdict: decision.verdict,
      decidedAt: decision.decidedAt,
      proven,
    },
    carried: decision.carried,
    emergency: decision.emergency === undefined ? null : [...decision.emergency.operators],
    review,
    verifications: (proposal?.decision ?? decision).verifications.map(verificationReport),
    approvals: decision.approvals.given.map(givenReport),
    rules: {
      evaluated: decision.rulesEvaluated,
      expected: decision.rulesExpected,
      policies: decision.digests.policies,
      waivers: decision.waivers,
    },
  };
}

function text(why: Explained): string {
  const { resource, target, release, manifestDigest, decision, entry, proposal, proven, applied, review } = why;
  const judged = proposal?.decision ?? decision;
  const authors = signers(judged.verifications);
  const approvers = decision.approvals.given.map((one) => one.person);
  const operators = decision.emergency?.operators ?? [];
  const approved =
    approvers.length === 0
      ? `${authors.join(", ")} changed it`
      : `${approvers.join(" and ")} approved ${authors.join(", ")}'s change`;
  const who =
    operators.length === 0
      ? approved
      : `${operators.map(({ person }) => person).join(" and ")} released it in an EMERGENCY; ${approved}`;
  const lines = [
    `${resource} is ${applied === null ? "released" : "live"} in ${target} because ${who} on ${day(decision.decidedAt)}.`,
    row(
      "live",
      applied === null ? "no agent has reported this release yet" : `applied ${applied.at} by agent ${applied.agent}`,
    ),
    row(
      "release",
      `${target} #${release.sequence}, current${release.rollbackOf === null ? "" : `, the objects of #${release.rollbackOf}`}   manifest sha256:${manifestDigest.slice(0, 8)}`,
    ),
    row(
      "decision",
      `${decision.verdict}, log ${entry.index}   ${proven ? "proven" : "NOT PROVEN: sluice log verify --config gate.yaml"}`,
    ),
    ...operators.map(({ person, reason, ticket, index }) =>
      row("EMERGENCY", `${person}: ${reason} (${ticket ?? "no ticket"})   log ${index}`),
    ),
    ...(review === null ? [] : [reviewRow(review)]),
    ...(decision.carried === null
      ? []
      : [
          row(
            "carried",
            `${decision.carried.how} of ${carriedWhat(decision.carried)} allowed in log ${decision.carried.index}`,
          ),
        ]),
    row(
      "approved",
      decision.approvals.given
        .map((one) => `${one.person}${one.roles.length === 0 ? "" : ` (${one.roles.join(", ")})`}`)
        .join(", ") || "nobody had to",
    ),
    ...judged.verifications.map((one, index) =>
      row(
        index === 0 ? "commits" : "",
        `${one.commit.slice(0, 7)} ${one.signer?.person ?? one.kind}, ${one.format ?? "unsigned"} ${one.signer?.key ?? ""}`.trimEnd(),
      ),
    ),
    row(
      "rules",
      `${decision.rulesEvaluated} ran, set sha256:${decision.digests.policies?.slice(0, 8)}, ${decision.waivers.length} waived`,
    ),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

function reviewRow(state: ReviewState): string {
  if (state.review === null)
    return row(state.state === "due" ? "review" : "OVERDUE", `${reviewOwed(state)}: ${reviewCommand(state.entry)}`);
  const { by, at, reason, index } = state.review;
  return row("reviewed", `${state.state} at ${at} by ${by ?? "(erased)"}: ${reason ?? "(erased)"}   log ${index}`);
}

function carriedWhat({ how }: { readonly how: string }): string {
  return how === "rollback" ? "the state" : "the proposal";
}

function signers(verifications: Why["decision"]["verifications"]): readonly string[] {
  return [...new Set(verifications.flatMap((one) => (one.signer === null ? [] : [one.signer.person])))].sort();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function day(time: string): string {
  return `${Number(time.slice(8, 10))} ${MONTHS[Number(time.slice(5, 7)) - 1]} ${time.slice(0, 4)}`;
}

function row(label: string, value: string): string {
  return `${label.padEnd(11)}${value}`;
}
