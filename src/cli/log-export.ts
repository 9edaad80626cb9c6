/** `sluice log export`: the auditor's bundle of a period. */
import { resolve } from "node:path";
import { readSecret } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { writeAuditBundle } from "../log/audit/write.ts";
import { noteSigner } from "../log/note.ts";
import { answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { timeOption } from "./log-list.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";

export const logExport: Command = {
  name: "log export",
  summary: "write the auditor's bundle of a period",
  usage: ["log export [--from TIME] [--to TIME] --output FOLDER --config gate.yaml"],
  options: {
    config: CONFIG_OPTION,
    from: { type: "string", value: "TIME", description: "from this time on (RFC 3339 in UTC, or a day)" },
    to: { type: "string", value: "TIME", description: "before this time (default: now)" },
    output: { type: "string", value: "FOLDER", description: "a new folder, for its owner only" },
    as: AS_OPTION,
    format: { type: "string", multiple: true, value: "FORMAT", description: "text (default) or json" },
  },
  positionals: [0, 0],
  exitCodes: [[0, "written; the log has an entry that says who read it"]],
  example:
    "sluice log export --from 2026-10-01 --output q4 --config gate.yaml\nwrites what an auditor checks elsewhere: sluice log verify q4 --key VKEY",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const folder = resolve(invocation.folder, required(invocation, "output", "FOLDER"));
  const [from = null, to = null] = [timeOption(invocation, "from"), timeOption(invocation, "to")];
  if (from !== null && to !== null && from >= to)
    throw new SluiceError("usage", "--from is not before --to.", { fix: "--from 2026-10-01 --to 2027-01-01" });
  const done = invocation.output.progress("writing the bundle");
  const by = personOf(invocation);
  const { bundle, vkey } = await withGate(invocation, async ({ configuration, log }) => {
    const { gate, folder: home } = configuration;
    const signer = noteSigner(readSecret(gate.log.key, home, invocation.surroundings.environment));
    return { bundle: await writeAuditBundle(log, signer, folder, { from, to, by }), vkey: signer.vkey };
  }).finally(done);
  const { checkpoint, query, read, changes } = bundle;
  const { origin, size } = checkpoint;
  const entries = query.end - query.start;
  const report = {
    apiVersion: "sluice/v1",
    kind: "LogExport",
    folder,
    origin,
    query,
    entries,
    changes,
    read,
    size,
    by,
  };
  const { output: _, ...options } = invocation.options; // here it names the folder, not a file for the answer
  answer({ ...invocation, options }, report, (paint) =>
    [
      `${paint("allow", "EXPORTED")}  ${folder}`,
      `        ${origin}: ${entries} entries from ${query.start} on, ${changes} landed changes; read by ${by}, log ${read}`,
      "        policy sources are not in it: the repository has them at the commits that statement.json names",
      `next    sluice log verify ${folder} --key ${vkey}`,
      "",
    ].join("\n"),
  );
  return 0;
}
