/** `sluice log show`: one entry with everything that it disclosed. */

import { entryReport } from "../gate/json/entry.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { MASKS, type MaskRecord, maskedValues } from "../log/masking/mask.ts";
import { redactionsOf, type WithheldBy } from "../log/redaction/record.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { CONFIG_OPTION, withGateLog } from "./opening.ts";
import { entryLine } from "./reports/entry.ts";

export const logShow: Command = {
  name: "log show",
  summary: "show one entry",
  usage: ["log show INDEX --config gate.yaml"],
  options: { config: CONFIG_OPTION, ...ANSWER_OPTIONS },
  positionals: [1, 1],
  exitCodes: [
    [0, "shown, and it hashes into the tree"],
    [1, "there is no such entry, or it is not what was recorded"],
  ],
  example:
    "sluice log show 4127 --config gate.yaml --format json\nprints entry 4127 with everything that was not redacted",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [text = ""] = invocation.positionals;
  const { entry, redactions } = await withGateLog(invocation, async (log) => {
    const found = await readEntry(log, text);
    return { entry: found, redactions: await redactionsOf(log, found) };
  });
  answer(invocation, { ...entryReport(entry), redactions }, () => shown(entry, redactions));
  return 0;
}

/** By index. @throws SluiceError `usage`, `entry-unknown`, `log-corrupt` */
export function readEntry(log: DecisionLog, text: string): Promise<LoggedEntry> {
  if (/^[0-9]{1,15}$/.test(text)) return log.read(Number(text));
  throw new SluiceError("usage", `${JSON.stringify(text)} is no index of an entry.`, {
    fix: "sluice log list shows them",
  });
}

function shown(entry: LoggedEntry, redactions: readonly WithheldBy[]): string {
  const lines = [entryLine(entry), `leaf    ${entry.leafHash}`, `id      ${entry.leaf.id}`];
  const masks = maskedValues(entry.disclosed[MASKS]?.value);
  for (const [name, one] of Object.entries(entry.disclosed)) {
    lines.push(
      one === null
        ? `${name}: withheld${byMask(masks.get(name)) ?? byWhom(name, redactions)}; its commitment stays`
        : `${name}: ${JSON.stringify(one.value, null, 2)}`,
    );
  }
  return `${lines
    .flatMap((line) => line.split("\n"))
    .map(printable)
    .join("\n")}\n`;
}

function byMask(record: MaskRecord | undefined): string | null {
  return record === undefined ? null : ` by mask ${record.mask} before it was recorded, at ${record.at.join(", ")}`;
}

function byWhom(name: string, redactions: readonly WithheldBy[]): string {
  const one = redactions.find(({ names }) => names.includes(name));
  return one === undefined
    ? ""
    : ` by redaction ${one.index} of ${one.time} (${one.by ?? "withheld"}: ${one.reason ?? "withheld"})`;
}
