/** `sluice log backup`: a verified copy of the log, taken while the gate goes on. */
import { resolve } from "node:path";
import { logPlace } from "../gate/wiring.ts";
import { backupLog } from "../log/backup.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { ownEvidence } from "./log-verify.ts";
import { CONFIG_OPTION, gateConfiguration, required } from "./opening.ts";

export const logBackup: Command = {
  name: "log backup",
  summary: "copy the log while the gate goes on, and verify the copy",
  usage: ["log backup --to FILE --config gate.yaml"],
  options: {
    config: CONFIG_OPTION,
    to: { type: "string", value: "FILE", description: "the copy, for its owner only; a file that exists is refused" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "copied, and the copy is intact"],
    [1, "the log is not what was recorded; there is no copy"],
  ],
  example:
    "sluice log backup --to /backup/log-2026-11-21.db --config gate.yaml\ncopies the log as it is now; later: sluice log verify FILE --key VKEY",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const configuration = await gateConfiguration(invocation);
  const file = resolve(invocation.folder, required(invocation, "to", "FILE"));
  const options = ownEvidence(invocation, configuration); // the anchor before the copy: it can only be older
  const done = invocation.output.progress("copying and verifying the log");
  const { verification, bytes } = await backupLog(logPlace(configuration), file, options).finally(done);
  const { origin, size } = verification.checkpoint;
  const report = { apiVersion: "sluice/v1", kind: "LogBackup", file, origin, size, bytes };
  const [key = ""] = options.keys;
  answer(
    invocation,
    report,
    (paint) =>
      `${paint("allow", "BACKED UP")}  ${file}\n        ${origin}: ${size} entries, verified   ${bytes} bytes\nnext    keep it on another machine; it verifies there: sluice log verify FILE --key ${key}\n`,
  );
  return 0;
}
