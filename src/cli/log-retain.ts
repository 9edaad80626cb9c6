/** `sluice log retain`: erases values that are older than gate.yaml keeps them, as the service does by itself. */
import { resolve } from "node:path";
import { readSecret } from "../config/secret.ts";
import { type Retained, type RetentionMeans, retain } from "../gate/retention.ts";
import { dataFolder, logPlace } from "../gate/wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { openLog, openLogReader } from "../log/stores.ts";
import { growingRoom } from "../server/free-space.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { CONFIG_OPTION, gateConfiguration } from "./opening.ts";

export const logRetain: Command = {
  name: "log retain",
  summary: "erase values that are older than they are kept",
  usage: ["log retain --config gate.yaml [--dry-run]"],
  options: {
    config: CONFIG_OPTION,
    "dry-run": { type: "boolean", description: "only say what would be erased" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "erased, or there was nothing to erase"]],
  example:
    "sluice log retain --config gate.yaml\nerases by log.retention, oldest first; the service does the same once an hour",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const isDry = isSet(invocation, "dry-run");
  const configuration = await gateConfiguration(invocation);
  const { gate, folder } = configuration;
  const { retention, origin } = gate.log;
  if (retention === undefined) {
    throw new SluiceError(
      "usage",
      "gate.yaml says nothing about how long values are kept, so they are kept for ever.",
      {
        fix: "log: {retention: {values: 730d}} in gate.yaml",
      },
    );
  }
  const { clock, random } = invocation;
  const place = logPlace(configuration);
  const key = readSecret(gate.log.key, folder, invocation.surroundings.environment);
  const anchor = gate.log.anchor === undefined ? null : resolve(folder, gate.log.anchor);
  const log = await (isDry
    ? openLogReader({ ...place, origin })
    : openLog({ ...place, origin, key, anchor, clock, random }));
  const room = () => growingRoom(dataFolder(configuration), place, retention.size);
  const means: RetentionMeans = { clock, room, dryRun: isDry };
  const done = invocation.output.progress("erasing old values");
  const retained = await retain(log, retention, means).finally(async () => {
    done();
    await log.close();
  });
  const report = { apiVersion: "sluice/v1", kind: "LogRetention", dryRun: isDry, ...retained };
  answer(invocation, report, (paint) => text(paint("allow", isDry ? "WOULD ERASE" : "ERASED"), retained));
  return 0;
}

function text(word: string, { entries, values, redactions, needed }: Retained): string {
  const logged = redactions.length === 0 ? "" : `; log ${redactions.join(", ")}`;
  const left = needed === 0 ? "" : `\n        ${needed} older entries are left: the gate goes on from them`;
  return `${word}  ${values} values of ${entries} entries${logged}${left}\n`;
}
