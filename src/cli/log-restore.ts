/** `sluice log restore`: a backup back in the place of a log that was lost, or into another store. */
import { resolve } from "node:path";
import { absoluteStore, logPlace } from "../gate/wiring.ts";
import { restoreLog } from "../log/backup.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { ownEvidence } from "./log-verify.ts";
import { CONFIG_OPTION, gateConfiguration, required } from "./opening.ts";

export const logRestore: Command = {
  name: "log restore",
  summary: "put a backup where the log was lost",
  usage: ["log restore --from FILE --config gate.yaml"],
  options: {
    config: CONFIG_OPTION,
    from: { type: "string", value: "FILE", description: "what log backup made, of either store" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "restored, and intact where it is now"],
    [1, "refused: not what was recorded, or older than what was published"],
  ],
  example:
    "sluice log restore --from /backup/log.db --config gate.yaml\nverified, into an empty database, or a file that is not there yet",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const configuration = await gateConfiguration(invocation);
  const file = resolve(invocation.folder, required(invocation, "from", "FILE"));
  const done = invocation.output.progress("restoring and verifying the log");
  const { checkpoint } = await restoreLog(
    file,
    logPlace(configuration),
    ownEvidence(invocation, configuration),
  ).finally(done);
  const { origin, size } = checkpoint;
  const store = absoluteStore(configuration);
  const report = { apiVersion: "sluice/v1", kind: "LogRestore", file, store, origin, size };
  answer(
    invocation,
    report,
    (paint) =>
      `${paint("allow", "RESTORED")}  ${store}\n        ${origin}: ${size} entries, verified\nnext    what came after the backup is lost: compare with agents and witnesses before you release\n`,
  );
  return 0;
}
