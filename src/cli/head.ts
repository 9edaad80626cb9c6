/** `sluice head`: signs a fresh head, and takes in what agents reported; the service does it every minute. */
import { signedHead } from "../gate/releasing.ts";
import { ingestReports } from "../gate/reports.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { CONFIG_OPTION, withGate } from "./opening.ts";

export const head: Command = {
  name: "head",
  summary: "sign a fresh head",
  usage: ["head TARGET --config gate.yaml"],
  options: { config: CONFIG_OPTION, ...ANSWER_OPTIONS },
  positionals: [1, 1],
  exitCodes: [[0, "a fresh head is published"]],
  example: "sluice head prod --config gate.yaml\ntells agents for ten minutes more which release is current",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [target = ""] = invocation.positionals;
  const { signed, reports } = await withGate(invocation, async (gate) => {
    const taken = await ingestReports(gate, target);
    return { signed: await signedHead(gate, target), reports: taken };
  });
  const { latestSequence, hold, issuedAt, notAfter } = signed;
  const report = { apiVersion: "sluice/v1", kind: "Head", target, latestSequence, hold, issuedAt, notAfter, reports };
  const state = hold === null ? "" : `, held by ${hold.by}: ${hold.reason}`;
  const text = `${target}: head names #${latestSequence}${state}, valid until ${notAfter}; ${reports.applied} ${reports.applied === 1 ? "report" : "reports"} taken, ${reports.refused.length} refused\n`;
  answer(invocation, report, () => text);
  return 0;
}
