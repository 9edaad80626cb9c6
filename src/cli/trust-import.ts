/** `trust import`: a first people.yaml from what people already have, with every fingerprint to be compared. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { openPreviewRepository } from "../git/preview.ts";
import { findRepository } from "../git/source.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { readAllowedSigners } from "../signature/allowed-signers.ts";
import { type PeopleFiles, toPeopleFiles } from "../signature/people-text.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import {
  type Found,
  importAllowedSigners,
  importFluxSecret,
  importHistory,
  importKeyring,
  joined,
} from "../signature/trust-import.ts";
import { importForgeKeys } from "../signature/trust-import-forge.ts";
import { openVerifier } from "../signature/verify.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import type { TrustImportReport } from "./reports/schemas/trust-import.ts";

const MAXIMUM_FILE_BYTES = 8 * 1024 * 1024;
const MAXIMUM_COMMITS = 100_000;

export const trustImport: Command = {
  name: "trust import",
  summary: "write a first people.yaml from what is there",
  usage: [
    "trust import --from-history 500 [--repo DIR]",
    "trust import --allowed-signers FILE --keyring FILE --flux FILE [--into FOLDER]",
    "trust import github - [--email ADDRESS] < keys",
  ],
  options: {
    "from-history": { type: "string", value: "N", description: "keys of the last N commits of HEAD" },
    "allowed-signers": { type: "string", multiple: true, value: "FILE", description: "OpenSSH's allowed_signers" },
    keyring: { type: "string", multiple: true, value: "FILE", description: "armoured OpenPGP public keys" },
    flux: {
      type: "string",
      multiple: true,
      value: "FILE",
      description: "manifest of the Secret with which Flux verifies",
    },
    email: { type: "string", value: "ADDRESS", description: "whose SSH keys a forge lists: it does not say itself" },
    repo: { type: "string", value: "DIR", description: "the repository; the current folder when absent" },
    into: { type: "string", value: "FOLDER", description: "write there, where no people.yaml is yet; else only show" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 2],
  words: ["github"],
  exitCodes: [[0, "something was found"]],
  example:
    "sluice trust import --from-history 500 --into trust\nwrites trust/people.yaml; compare each fingerprint with its owner",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const found = joined([...fromFiles(invocation), await fromHistory(invocation), await fromForge(invocation)]);
  if (found.keys.length + found.authorities.length === 0) {
    const why = found.skipped.map(({ what, why }) => ` ${printable(`${what}: ${why}`)}.`).join("");
    throw new SluiceError("trust-import-empty", `There is nothing to import.${why}`);
  }
  const made = toPeopleFiles(found);
  // What is proposed must be what the reader of trust folders accepts; its refusal names the place.
  const bytes = new Map([...made.files].map(([path, text]) => [path, new Uint8Array(Buffer.from(text))]));
  await readTrustFolder(bytes, { revokedKeys: [], folder: "proposed " });
  const report = toReport(found, made, write(invocation, made));
  answer(invocation, report, () => text(report, made));
  return report.exitCode;
}

function fromFiles(invocation: Invocation): readonly Found[] {
  const read = (option: string, parse: (bytes: Uint8Array, file: string) => Found): readonly Found[] =>
    listOption(invocation, option).map((file) => parse(readFile(invocation, file), file));
  return [
    ...read("allowed-signers", (bytes, file) => importAllowedSigners(decodeText(bytes, file), file)),
    ...read("keyring", importKeyring),
    ...read("flux", (bytes, file) => importFluxSecret(decodeText(bytes, file), file)),
  ];
}

function readFile(invocation: Invocation, file: string): Uint8Array {
  const path = resolve(invocation.folder, file);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true) {
    throw new SluiceError("configuration-missing", `${file} is no file to import from.`, {
      fix: "name a file that exists",
    });
  }
  if (status.size > MAXIMUM_FILE_BYTES) throw new SluiceError("trust-import-invalid", `${file} is larger than 8 MiB.`);
  return new Uint8Array(readFileSync(path));
}

function decodeText(bytes: Uint8Array, file: string): string {
  const decoded = decodeUtf8(bytes);
  if (decoded !== null) return decoded;
  throw new SluiceError("trust-import-invalid", `${file} is not UTF-8 text.`);
}

const NOTHING: Found = { keys: [], authorities: [], skipped: [] };

async function fromHistory(invocation: Invocation): Promise<Found> {
  const given = textOption(invocation, "from-history");
  if (given === undefined) return NOTHING;
  const count = /^[1-9]\d{0,5}$/.test(given) ? Number(given) : 0;
  if (count === 0 || count > MAXIMUM_COMMITS) {
    throw new SluiceError("usage", "--from-history takes a number of commits.", { fix: "--from-history 500" });
  }
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const path = findRepository(folder) ?? folder;
  const repository = await openPreviewRepository({ path, scratch: invocation.surroundings.temporaryFolder });
  const done = invocation.output.progress("looking for keys");
  try {
    const all = await repository.range([], await repository.resolve("HEAD"));
    const commits = all.slice(-count);
    const verifier = await openVerifier(readAllowedSigners("", "nobody"), repository.objectFormat);
    const at = { instant: invocation.clock(), basis: "now" } as const;
    const verifications = await Promise.all(commits.map((commit) => verifier.verify(commit, at)));
    return importHistory(commits, verifications, repository.objectFormat);
  } finally {
    done();
    await repository.close();
  }
}

/** What the forge lists of one account, as JSON of its API or armoured text, on standard input: nothing is fetched. */
async function fromForge({ positionals, options, output }: Invocation): Promise<Found> {
  const [forge, input] = positionals;
  if (forge === undefined) return NOTHING;
  if (forge !== "github" || input !== "-") {
    throw new SluiceError("usage", "A forge's keys are read from standard input.", {
      fix: "sluice trust import github - < keys.json",
    });
  }
  const email = options["email"];
  return importForgeKeys(await output.readInput(), typeof email === "string" ? email : null);
}

/** Never over what is there. @throws SluiceError `usage` */
function write(invocation: Invocation, { files }: PeopleFiles): readonly string[] {
  const into = textOption(invocation, "into");
  if (into === undefined) return [];
  const paths = [...files.keys()].sort();
  const taken = paths.find((path) => existsSync(resolve(invocation.folder, into, path)));
  if (taken !== undefined) {
    throw new SluiceError("usage", `${join(into, taken)} is already there and is not written over.`, {
      fix: "leave --into away and copy what is missing by hand",
    });
  }
  for (const path of paths) {
    const whole = resolve(invocation.folder, into, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, files.get(path) ?? "", { flag: "wx" });
  }
  return paths.map((path) => join(into, path));
}

function toReport(found: Found, { people, files }: PeopleFiles, written: readonly string[]): TrustImportReport {
  return {
    apiVersion: "sluice/v1",
    kind: "TrustImport",
    exitCode: EXIT.fine,
    people: people.map(({ id, emails, keys }) => ({
      id,
      emails: [...emails],
      keys: keys.map(({ format, fingerprint, source }) => ({ format, fingerprint, source })),
    })),
    authorities: found.authorities.map(({ fingerprint, patterns, source }) => ({
      fingerprint,
      patterns: [...patterns],
      source,
    })),
    skipped: [...found.skipped],
    files: Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1))),
    written: [...written],
  };
}

/** The proposal itself where it was not written, so that it can be read and kept. */
function text({ people, skipped, written }: TrustImportReport, { files }: PeopleFiles): string {
  const left = skipped.map(({ what, why }) => printable(`left out  ${what}: ${why}.`));
  if (written.length === 0) {
    const keyFiles = [...files.keys()].filter((path) => path !== "people.yaml");
    const more = keyFiles.length === 0 ? [] : [`# with --into FOLDER also: ${keyFiles.join(", ")}`];
    return [
      `${files.get("people.yaml") ?? ""}${[...more, ...left.map((line) => `# ${line}`)].join("\n")}`.trimEnd(),
      "",
    ].join("\n");
  }
  const keys = people.flatMap((one) =>
    one.keys.map((key) => `${one.id}  ${key.fingerprint}  ${printable(key.source)}`),
  );
  const next = "next  compare each fingerprint with its owner, then: sluice trust check";
  return `${[`wrote ${written.join(", ")}`, ...keys, ...left, next].join("\n")}\n`;
}
