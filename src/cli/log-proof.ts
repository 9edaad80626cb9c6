/** `sluice log proof`: the proof that an entry is in the log, in the form of C2SP tlog-proof. */
import { proveInclusion, writeProof } from "../log/proof.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { readEntry } from "./log-show.ts";
import { CONFIG_OPTION, withGateLog } from "./opening.ts";

export const logProof: Command = {
  name: "log proof",
  summary: "write an entry's proof",
  usage: ["log proof INDEX --config gate.yaml [--output FILE]"],
  options: { config: CONFIG_OPTION, ...ANSWER_OPTIONS },
  positionals: [1, 1],
  exitCodes: [
    [0, "written"],
    [1, "there is no such entry"],
  ],
  example:
    "sluice log proof 4127 --config gate.yaml --output 4127.tlog-proof\nwrites what proves entry 4127 to whoever knows the key of the log",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [text = ""] = invocation.positionals;
  const { entry, proof } = await withGateLog(invocation, async (log) => {
    const found = await readEntry(log, text);
    return { entry: found, proof: writeProof(await proveInclusion(log, found.index)) };
  });
  answer(
    invocation,
    { apiVersion: "sluice/v1", kind: "Proof", index: entry.index, leafHash: entry.leafHash, proof },
    () => proof,
  );
  return 0;
}
