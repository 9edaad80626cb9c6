/** `sluice witness`: cosigns the checkpoints of other people's logs, each only when it continues what was seen before. */
import { resolve } from "node:path";
import { readSecret } from "../config/secret.ts";
import { readWitnessYaml } from "../config/witness-yaml.ts";
import { SluiceError } from "../lib/errors.ts";
import { cosigner } from "../log/cosignature.ts";
import { noteVerifier } from "../log/note.ts";
import { openWitnessStore } from "../log/stores/sqlite/witness.ts";
import { listenAsWitness } from "../server/witness.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { listenForStop } from "./signals.ts";

export const witness: Command = {
  name: "witness",
  summary: "cosign the checkpoints of logs that others run",
  usage: ["witness --config witness.yaml"],
  options: { config: { type: "string", value: "FILE", description: "the witness's own witness.yaml" } },
  positionals: [0, 0],
  exitCodes: [[0, "stopped by SIGTERM or SIGINT"]],
  example: "sluice witness --config witness.yaml\ncosigns every checkpoint that continues what it saw before",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { stopped } = listenForStop();
  const file = textOption(invocation, "config");
  if (file === undefined || file === "")
    throw new SluiceError("usage", "--config witness.yaml is missing.", { fix: "--config witness.yaml" });
  const { witness: asked, folder } = readWitnessYaml(resolve(invocation.folder, file));
  const signer = cosigner(readSecret(asked.key, folder, invocation.surroundings.environment));
  const store = openWitnessStore(resolve(folder, asked.store));
  try {
    const logs = asked.logs.map(({ origin, keys }) => ({ origin, keys: keys.map(noteVerifier) }));
    const listener = await listenAsWitness({ cosigner: signer, logs, store, clock: invocation.clock }, asked.listen);
    invocation.output.write(`listening on ${listener.url}\nkey ${signer.vkey}\n`);
    await stopped;
    await listener.close();
  } finally {
    store.close();
  }
  return EXIT.fine;
}
