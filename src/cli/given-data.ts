/** `--data NAME=FILE`: data from outside as somebody has it here, where no gate fetches it. */
import { resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import {
  askOnce,
  EXTERNAL_NAME,
  type ExternalData,
  type ExternalRecord,
  type ExternalUse,
  externalRecord,
  givenSources,
} from "../policy/external.ts";
import { type Command, type Invocation, listOption } from "./command.ts";
import { readRegularFile } from "./folder-files.ts";

/** Of every command that evaluates policies without a gate. */
export const DATA_OPTIONS = {
  data: {
    type: "string",
    multiple: true,
    value: "NAME=FILE",
    description: "JSON for policies that read data.external.NAME; may be repeated",
  },
} as const satisfies Command["options"];

/** @throws SluiceError `usage`, `configuration-missing`, `external-malformed`, `external-too-large` */
export function givenRecords(invocation: Invocation): readonly ExternalRecord[] {
  const records = listOption(invocation, "data").map((text) => readRecord(invocation, text));
  const twice = records.find(({ name }, index) => records.findIndex((one) => one.name === name) < index);
  if (twice === undefined) return records;
  throw new SluiceError("usage", `--data names ${twice.name} twice.`, { fix: `--data ${twice.name}=FILE.json` });
}

function readRecord(invocation: Invocation, text: string): ExternalRecord {
  const [, name = "", file = ""] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  if (!EXTERNAL_NAME.test(name) || file === "")
    throw new SluiceError("usage", "--data takes the name of a source and a file of JSON.", {
      fix: "--data registries=FILE.json",
    });
  const bytes = readRegularFile(resolve(invocation.folder, file));
  const content = bytes === null ? null : decodeUtf8(bytes);
  if (content === null)
    throw new SluiceError("configuration-missing", `${file} is not a file of UTF-8 text.`, {
      fix: `--data ${name}=FILE.json`,
    });
  const record = externalRecord(name, formatTime(invocation.clock()), content);
  const { failure } = record;
  if (failure === null) return record;
  throw new SluiceError(failure.code as "external-malformed", `${file}: ${failure.message}`);
}

/** For one set of policies. @throws SluiceError `external-not-given`, with the place that reads it */
export function givenData(records: readonly ExternalRecord[], uses: readonly ExternalUse[]): Promise<ExternalData> {
  return askOnce(givenSources(records), "").data(uses);
}
