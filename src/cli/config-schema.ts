/** `config schema`: JSON Schemas of the files that people write. */
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { jsonText } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { CONFIG_SCHEMAS, configJsonSchema } from "./config-schemas.ts";
import { EXIT } from "./failure.ts";

const NAMES = CONFIG_SCHEMAS.map((one) => one.name);

export const configSchema: Command = {
  name: "config schema",
  summary: "print the JSON Schemas of configuration files",
  usage: [`config schema [${NAMES.join("|")}]`],
  options: {},
  positionals: [0, 1],
  words: NAMES,
  exitCodes: [[0, "printed"]],
  example:
    "sluice config schema sluice > sluice.schema.json\nthen, in the first line of sluice.yaml, for editors that know it:\n# yaml-language-server: $schema=sluice.schema.json",
  run,
};

/** Without a name all of them, in one object by name. */
async function run(invocation: Invocation): Promise<number> {
  const [name] = invocation.positionals;
  invocation.output.write(jsonText(name === undefined ? allSchemas() : oneSchema(name)));
  return EXIT.fine;
}

function allSchemas() {
  return Object.fromEntries(CONFIG_SCHEMAS.map((one) => [one.name, configJsonSchema(one)]));
}

function oneSchema(name: string) {
  const found = CONFIG_SCHEMAS.find((one) => one.name === name || one.file === name);
  if (found !== undefined) return configJsonSchema(found);
  throw new SluiceError("usage", `There is no schema ${JSON.stringify(name)}; there are ${NAMES.join(", ")}.`, {
    fix: `sluice config schema ${nearest(name, NAMES) ?? NAMES[0]}`,
  });
}
