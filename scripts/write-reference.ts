/**
 * Writes the generated part of docs/reference: JSON Schemas of configuration files and of what commands print, the codes,
 * the commands, the configuration. `node scripts/write-reference.ts`; a test holds the checked-in files to what it writes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "../src/cli/command.ts";
import { COMMANDS, PLANNED } from "../src/cli/commands.ts";
import { CONFIG_SCHEMAS, type ConfigSchema, configJsonSchema, toJsonSchema } from "../src/cli/config-schemas.ts";
import { commandHelp } from "../src/cli/help.ts";
import { REPORT_SCHEMAS } from "../src/cli/reports/schemas.ts";
import { CODES, type CodeClass, type CodeEntry } from "../src/lib/codes.ts";
import { attackPage } from "./attack-page.ts";
import { routePage } from "./route-page.ts";

const REFERENCE = "docs/reference";
const GENERATED = "<!-- written by scripts/write-reference.ts; change the source, not this page -->";

/** Every generated file by its path from the root of the project, with its whole text. */
export async function referenceFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...CONFIG_SCHEMAS.map((one) => schemaFile(`config.${one.name}`, configJsonSchema(one))),
    ...Object.entries(REPORT_SCHEMAS).map(([name, { title, schema }]) =>
      schemaFile(name, toJsonSchema(schema, title, "output")),
    ),
    [`${REFERENCE}/attacks.md`, attackPage(GENERATED)],
    [`${REFERENCE}/codes.md`, codesPage()],
    [`${REFERENCE}/commands.md`, await commandsPage()],
    [`${REFERENCE}/configuration.md`, configurationPage()],
    [`${REFERENCE}/routes.md`, routePage(GENERATED)],
  ]);
}

function schemaFile(name: string, schema: object): [string, string] {
  return [`${REFERENCE}/schemas/${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`];
}

const CLASSES: Readonly<Record<CodeClass, string>> = {
  deny: "Denied (exit 1): another commit in the change can cure it",
  rejected: "Why a signature does not count",
  wait: "Waiting (exit 4)",
  refused: "Refused (exit 1): by an agent, a release or the log",
  error: "Could not be evaluated (exit 3)",
  usage: "Usage or configuration (exit 2)",
  warning: "Warnings, which decide nothing",
};

function codesPage(): string {
  const entries: [string, CodeEntry][] = Object.entries(CODES);
  const sections = Object.entries(CLASSES).map(([kind, title]) => {
    const inside = entries.filter(([, entry]) => entry.class === kind).sort(([a], [b]) => (a < b ? -1 : 1));
    return `## ${title}\n\n${inside.map(codeSection).join("\n")}`;
  });
  const lead =
    "Every code that Sluice prints, as `sluice explain CODE` says it. Codes are stable; the words may improve.";
  return `# Codes\n\n${GENERATED}\n\n${lead}\n\n${sections.join("\n")}`;
}

function codeSection([code, { means, example, fix }]: [string, CodeEntry]): string {
  return `### ${code}\n\n${means}\n\n- example: ${example}\n- fix: ${fix}\n`;
}

async function commandsPage(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map((one) => one.load()));
  const lead =
    "Every command's `--help`. Exit codes: 0 fine, 1 denied or refused, 2 usage, 3 not evaluated, 4 waiting, 5 drift.";
  const planned = `Planned, and refused as \`not-supported\` until they exist: ${PLANNED.join(", ")}.`;
  return `# Commands\n\n${GENERATED}\n\n${lead}\n\n${commands.map(commandSection).join("\n")}\n${planned}\n`;
}

function commandSection(command: Command): string {
  return `## ${command.name}\n\n\`\`\`\n${commandHelp(command)}\`\`\`\n`;
}

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

function configurationPage(): string {
  const lead =
    "Every key of every file that people write. Unknown keys are errors; relative paths start at the file's folder.";
  return `# Configuration\n\n${GENERATED}\n\n${lead}\n\n${CONFIG_SCHEMAS.map(configurationSection).join("\n")}`;
}

function configurationSection(one: ConfigSchema): string {
  const schema = configJsonSchema(one) as Node;
  const rows = keysOf(schema, "").map(
    ({ path, node, isRequired }) =>
      `| \`${path}\` | ${cell(typeOf(node))} | ${isRequired ? "required" : cell(defaultOf(node))} | ${cell(node.description ?? "")} |`,
  );
  const table = ["| key | value | when absent | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
  return `## ${one.file}\n\n${one.title}\n\n${table}\n`;
}

interface Row {
  readonly path: string;
  readonly node: Node;
  readonly isRequired: boolean;
}

/** Depth first; a map's own keys are written NAME, a list's items `[]`. */
function keysOf(node: Node, path: string): readonly Row[] {
  const here = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const below = under(path, key);
    return [{ path: below, node: child, isRequired: isRequired(node, key, child) }, ...keysOf(child, below)];
  });
  const inMap =
    typeof node.additionalProperties === "object" ? keysOf(node.additionalProperties, under(path, "NAME")) : [];
  const inList = node.items === undefined ? [] : keysOf(node.items, `${path}[]`);
  const inUnion = formsOf(node).flatMap((child) => keysOf(child, path).map(asChoice));
  return [...here, ...inMap, ...inList, ...inUnion];
}

function formsOf({ anyOf, oneOf }: Node): readonly Node[] {
  return anyOf ?? oneOf ?? [];
}

/** One of several forms: its keys are required only where it is the one. */
function asChoice(row: Row): Row {
  return { ...row, isRequired: false };
}

function under(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isRequired(parent: Node, key: string, child: Node): boolean {
  return parent.required?.includes(key) === true && child.default === undefined;
}

function typeOf(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (formsOf(node).length > 0) return [...new Set(formsOf(node).map(typeOf))].join(" or ");
  if (node.type === "array") return `list of ${typeOf(node.items ?? {})}`;
  return (
    { object: "map", string: "text", integer: "number", boolean: "true or false" }[node.type ?? ""] ?? node.type ?? ""
  );
}

function defaultOf({ default: value }: Node): string {
  if (value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0))
    return "";
  return `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

async function writeAll(root: string): Promise<void> {
  for (const [path, text] of await referenceFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

if (import.meta.main) await writeAll(resolve(import.meta.dirname, ".."));
