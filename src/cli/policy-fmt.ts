/** `sluice policy fmt`: policies as `opa fmt` writes them. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { problemsError } from "../policy/compile.ts";
import type { PolicyFile } from "../policy/policy-set.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { counted } from "./counted.ts";
import { EXIT } from "./failure.ts";
import { readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import type { PolicyFmtReport } from "./reports/schemas/policy-tools.ts";

export const policyFmt: Command = {
  name: "policy fmt",
  summary: "write policies as opa fmt does",
  usage: ["policy fmt [DIR] [--check]"],
  options: {
    check: { type: "boolean", description: "write nothing; say which files would change" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "written, or with --check nothing to write"],
    [1, "with --check: a file would change"],
  ],
  example: "sluice policy fmt policies --check\nRego v0 stays v0; what does not parse is named, and nothing is written",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const check = isSet(invocation, "check");
  const { shown, root, files } = readPolicyFolder(invocation, invocation.positionals[0]);
  const rego = files.filter(({ path }) => path.endsWith(".rego"));
  if (rego.length === 0) throw new SluiceError("no-policies", `${shown} has no policies.`);
  const formatted = await withPolicyServices(invocation, async ({ toolchain }) => {
    const texts: PolicyFile[] = [];
    for (const file of rego) texts.push({ path: file.path, text: await formattedText(toolchain, file) });
    return texts;
  });
  const changed = formatted.filter(({ text }, index) => text !== rego[index]?.text);
  if (!check) for (const { path, text } of changed) replaceFile(join(root, path), text);
  const report: PolicyFmtReport = {
    apiVersion: "sluice/v1",
    kind: "PolicyFmt",
    exitCode: check && changed.length > 0 ? EXIT.denied : EXIT.fine,
    folder: shown,
    files: rego.length,
    changed: changed.map(({ path }) => path).sort(),
    written: !check,
  };
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

const FmtAnswer = z.object({ files: z.tuple([z.object({ text: z.string() })]) });

/** Each file by its own version: v1, and where only v0 parses, v0. @throws SluiceError `policy-does-not-compile` */
async function formattedText(toolchain: Toolchain, { path, text }: PolicyFile): Promise<string> {
  const files = [{ path, text }];
  const first = await toolchain.request("fmt", { files });
  const answered = first.ok ? first : await toolchain.request("fmt", { files, regoVersion: "v0" });
  if (!answered.ok) throw problemsError(first.ok ? answered.errors : first.errors);
  const parsed = FmtAnswer.safeParse(answered.result);
  if (parsed.success) return parsed.data.files[0].text;
  throw new SluiceError("toolchain-failed", "The policy compiler's answer to `fmt` has another shape.", {
    cause: parsed.error,
  });
}

/** Whole or not at all: a policy that is cut off is another policy. The path leads through no link. */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.sluice-fmt`;
  writeFileSync(beside, text, { flag: "wx" });
  renameSync(beside, path);
}

function text({ files, changed, written }: PolicyFmtReport): string {
  const verb = written ? "written" : "would change";
  const lines = changed.map((path) => `${verb}  ${printable(path)}\n`);
  return `${lines.join("")}${counted(files, "file")}, ${changed.length} ${verb}\n`;
}
