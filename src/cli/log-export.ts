/** `sluice log export`: the auditor's bundle of a period. */
import { resolve } from "node:path";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { readSecret } from "../config/secret.ts";
import { policySourceFinder } from "../gate/policy-sources.ts";
import { openRepositories } from "../gate/repositories.ts";
import { dataFolder, logPlace } from "../gate/wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { type RecordReading, recordIn, writeAuditBundle } from "../log/audit/write.ts";
import { noteSigner } from "../log/note.ts";
import { openLog, openLogReader } from "../log/stores.ts";
import { answer } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { timeOption } from "./log-list.ts";
import { AS_OPTION, CONFIG_OPTION, gateConfiguration, personOf, required } from "./opening.ts";

export const logExport: Command = {
  name: "log export",
  summary: "write the auditor's bundle of a period",
  usage: ["log export [--from TIME] [--to TIME] --output FOLDER --config gate.yaml [--unlogged]"],
  options: {
    config: CONFIG_OPTION,
    from: { type: "string", value: "TIME", description: "from this time on (RFC 3339 in UTC, or a day)" },
    to: { type: "string", value: "TIME", description: "before this time (default: now)" },
    output: { type: "string", value: "FOLDER", description: "a new folder, for its owner only" },
    as: AS_OPTION,
    unlogged: {
      type: "boolean",
      description: "leave no entry that says who read, for while another process writes; the bundle says so",
    },
    format: { type: "string", multiple: true, value: "FORMAT", description: "text (default) or json" },
  },
  positionals: [0, 0],
  exitCodes: [[0, "written; the log tells who read it, or the bundle says that it does not"]],
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
  const configuration = await gateConfiguration({
    ...invocation,
    options: { ...invocation.options, output: undefined },
  });
  const key = readSecret(configuration.gate.log.key, configuration.folder, invocation.surroundings.environment);
  const signer = noteSigner(key);
  const { vkey } = signer;
  const { origin: name } = configuration.gate.log;
  const log = await openLogReader({ ...logPlace(configuration), origin: name, keys: signer.vkeys });
  const record = isSet(invocation, "unlogged") ? null : briefly(invocation, configuration, key);
  const repositories = openRepositories(() => configuration, dataFolder(configuration));
  const findSources = policySourceFinder(repositories, Object.keys(configuration.gate.repositories));
  const bundle = await writeAuditBundle(log, signer, folder, { from, to, by }, record, findSources).finally(
    async () => {
      done();
      await Promise.all([repositories.close(), log.close()]);
    },
  );
  const { checkpoint, query, read, changes, policies } = bundle;
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
    policies,
    read,
    size,
    by,
  };
  const logged = read === null ? "in no log: --unlogged" : `log ${read}`;
  const { output: _, ...options } = invocation.options; // here it names the folder, not a file for the answer
  answer({ ...invocation, options }, report, (paint) =>
    [
      `${paint("allow", "EXPORTED")}  ${folder}`,
      `        ${origin}: ${entries} entries from ${query.start} on, ${changes} landed changes; read by ${by}, ${logged}`,
      `        ${policies.held} of ${policies.judged} policy sets with their sources${policies.held < policies.judged ? "; statement.json says where the others are" : ""}`,
      `next    sluice log verify ${folder} --key ${vkey}`,
      "",
    ].join("\n"),
  );
  return 0;
}

/** The log is open for writing while the one entry is appended, and no longer: a bundle may take minutes. */
function briefly(invocation: Invocation, configuration: GateConfiguration, key: string): RecordReading {
  const { gate, folder } = configuration;
  return async (request) => {
    const { clock, random } = invocation;
    const anchor = gate.log.anchor === undefined ? null : resolve(folder, gate.log.anchor);
    const { origin } = gate.log;
    const log = await openLog({ ...logPlace(configuration), origin, key, anchor, clock, random }).catch(asked);
    try {
      return await recordIn(log)(request);
    } finally {
      await log.close();
    }
  };
}

function asked(refused: unknown): never {
  if (!(refused instanceof SluiceError) || refused.code !== "log-busy") throw refused;
  throw new SluiceError("log-busy", `${refused.message} The reading cannot be logged meanwhile.`, {
    fix: "wait until it has ended; or --unlogged, and the bundle says that no entry tells of it",
    retryable: true,
    cause: refused,
  });
}
