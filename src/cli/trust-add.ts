/** `trust add`: one more person, or one more key of somebody, in people.yaml. It counts once a signed change with it landed. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { writeKeyArmour } from "../signature/armour.ts";
import { type Edited, quoted, withKey, withPerson } from "../signature/people-edit.ts";
import type { Owner, Trust } from "../signature/trust.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import type { FoundKey } from "../signature/trust-import.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { readTreeFolder } from "./folder-files.ts";
import { REPO_OPTION, required } from "./opening.ts";
import { refuseLinks, writeNewFiles } from "./own-file.ts";
import type { TrustAddReport } from "./reports/schemas/people.ts";
import { readKey } from "./trust-request.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

const PEOPLE_YAML = "people.yaml";

export const trustAdd: Command = {
  name: "trust add",
  summary: "write a person or a key into people.yaml",
  usage: ["trust add NAME --key FILE [--email ADDRESS]... [--role ROLE]... [--repo DIR]"],
  options: {
    key: { type: "string", value: "FILE", description: "the public key: an SSH .pub file, or an armoured OpenPGP key" },
    email: {
      type: "string",
      multiple: true,
      value: "ADDRESS",
      description: "an address of their commits; may be repeated (OpenPGP: default its own)",
    },
    role: {
      type: "string",
      multiple: true,
      value: "ROLE",
      description: "what approval rules ask for; may be repeated",
    },
    repo: REPO_OPTION,
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [[0, "written; it counts once a signed change with it has landed"]],
  example:
    "sluice trust add nia --email nia@example.com --key nia.pub --role platform\nadds nia with that key; compare the fingerprint with her before you sign",
  run,
};

interface Wish {
  readonly id: string;
  readonly key: FoundKey;
  readonly emails: readonly string[];
  readonly roles: readonly string[];
}

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const top = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const folder = (workTreeConfiguration(top)?.trust ?? "trust/").replace(/\/?$/, "/");
  refuseLinks(top, `${folder}${PEOPLE_YAML}`);
  const files = readTreeFolder(top, folder.slice(0, -1));
  const before = await readTrustFolder(files, { revokedKeys: [], folder });
  const id = shortName(invocation);
  const known = before.owners.find((owner) => owner.class === "person" && owner.id === id) ?? null;
  const wish = makeWish(invocation, id, known?.emails ?? []);
  refuseTaken(before, wish);
  if (known !== null) refuseOtherFacts(known, wish, folder);
  const keyFile = wish.key.line === null ? freeName(wish.id, files) : null;
  const edited = edit(decodeUtf8(files.get(PEOPLE_YAML) ?? new Uint8Array()) ?? "", wish, keyFile, known !== null);
  const armour = keyFile === null ? [] : [[keyFile, writeKeyArmour(wish.key.certificate ?? new Uint8Array())] as const];
  await requireOnlyThat(before, edited, new Map([...files, ...armour.map(asBytes)]), wish, folder);
  writeNewFiles(top, new Map(armour.map(([path, text]) => [`${folder}${path}`, text])));
  writeFileSync(join(top, folder, PEOPLE_YAML), edited.text);
  const report = toReport(wish, known, folder, edited, keyFile);
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

function shortName({ positionals: [id = ""] }: Invocation): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(id)) return id;
  throw new SluiceError("usage", `${JSON.stringify(id.slice(0, 100))} is no short name.`, {
    fix: "sluice trust add nia ...",
  });
}

/** `known` are the addresses of somebody who is listed: another key of theirs needs none. */
function makeWish(invocation: Invocation, id: string, known: readonly string[]): Wish {
  const given = listOption(invocation, "email").map((email) => email.toLowerCase());
  const identity = { email: given[0] ?? known[0] ?? null, signingKey: null };
  const one: Invocation = { ...invocation, options: { ...invocation.options, email: given[0] } };
  const key = readKey(one, required(invocation, "key", "FILE"), identity);
  const emails = given.length > 0 ? given : known;
  return { id, key, emails: emails.length === 0 ? key.emails : emails, roles: listOption(invocation, "role") };
}

/** A key belongs to one owner only, otherwise nobody can say who signed. */
function refuseTaken({ keys }: Trust, { key }: Wish): void {
  const taken = keys.find((one) => one.fingerprint.toUpperCase() === key.fingerprint.toUpperCase());
  if (taken === undefined) return;
  throw new SluiceError("trust-key-shared", `${key.fingerprint} is ${taken.owner.id}'s already; nothing was written.`, {
    fix: "sluice trust list shows who has which key",
  });
}

/** Addresses and roles of somebody who is listed are not a key's business. */
function refuseOtherFacts({ id, emails, roles }: Owner, wish: Wish, folder: string): void {
  const other = [
    ...wish.emails.filter((email) => !emails.includes(email)),
    ...wish.roles.filter((role) => !roles.includes(role)),
  ];
  if (other.length === 0) return;
  throw new SluiceError(
    "usage",
    `${id} is listed without ${other.join(", ")}; only a key is added to somebody who is there.`,
    {
      fix: `change ${id} in ${folder}${PEOPLE_YAML} by hand, or leave --email and --role away`,
    },
  );
}

function freeName(id: string, files: ReadonlyMap<string, Uint8Array>): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? `keys/${id}.asc` : `keys/${id}-${number}.asc`;
    if (!files.has(name)) return name;
  }
}

function edit(text: string, { id, key, emails, roles }: Wish, keyFile: string | null, isKnown: boolean): Edited {
  const shown = keyFile === null ? quoted(`${key.line ?? ""} ${id}`) : `{file: ${keyFile}}`;
  const wanted = { id, emails, roles, key: shown, fingerprint: key.fingerprint };
  const edited = isKnown ? withKey(text, wanted) : withPerson(text, wanted);
  if (edited !== null) return edited;
  throw new SluiceError("usage", "people.yaml has a form to which nothing can be added.", {
    fix: "write each person on lines of their own below people:, then run sluice trust add again",
  });
}

function asBytes([path, text]: readonly [string, string]): [string, Uint8Array] {
  return [path, new Uint8Array(Buffer.from(text))];
}

/** What would be written is read by the judge's own reader: this is new, and everything else is as it was. */
async function requireOnlyThat(
  before: Trust,
  { text }: Edited,
  files: ReadonlyMap<string, Uint8Array>,
  { id, key }: Wish,
  folder: string,
): Promise<void> {
  const edited = new Map([...files, [PEOPLE_YAML, new Uint8Array(Buffer.from(text))]]);
  const after = await readTrustFolder(edited, { revokedKeys: [], folder });
  const isNew = (one: { readonly owner: Owner; readonly fingerprint: string }): boolean =>
    one.owner.id === id && one.fingerprint.toUpperCase() === key.fingerprint.toUpperCase();
  const known = new Set(before.owners.map((owner) => owner.id));
  const isSame =
    factsOf(
      before,
      () => true,
      () => true,
    ) ===
    factsOf(
      after,
      (owner) => known.has(owner.id) || owner.id !== id,
      (one) => !isNew(one),
    );
  if (isSame && after.keys.filter(isNew).length === 1) return;
  throw new SluiceError("usage", "people.yaml has a form in which this cannot be added without changing more.", {
    fix: "add it by hand, then: sluice trust check",
  });
}

function factsOf(
  { owners, keys, change, x509Authorities = [], sshAuthorities = [], sha1Until = null }: Trust,
  isOwner: (owner: Owner) => boolean,
  isKey: (key: Trust["keys"][number]) => boolean,
): string {
  const listed = keys.filter(isKey).map(({ owner, fingerprint, terms }) => ({ owner: owner.id, fingerprint, terms }));
  const sorted = listed.sort((a, b) => (`${a.owner} ${a.fingerprint}` < `${b.owner} ${b.fingerprint}` ? -1 : 1));
  const authorities = [...x509Authorities.map(({ id }) => id), ...sshAuthorities.map((one) => one.fingerprint)];
  const facts = { owners: owners.filter(isOwner), keys: sorted, change, authorities, sha1Until };
  return canonicalJson(JSON.parse(JSON.stringify(facts)) as JsonValue);
}

function toReport(
  { id, key, emails, roles }: Wish,
  known: Owner | null,
  folder: string,
  { line }: Edited,
  keyFile: string | null,
): TrustAddReport {
  const file = `${folder}${PEOPLE_YAML}`;
  return {
    apiVersion: "sluice/v1",
    kind: "TrustAdd",
    exitCode: EXIT.fine,
    person: id,
    isNew: known === null,
    emails: [...(known?.emails ?? emails)],
    roles: [...(known?.roles ?? roles)],
    key: { format: key.format, fingerprint: key.fingerprint },
    file,
    line,
    files: [file, ...(keyFile === null ? [] : [`${folder}${keyFile}`])],
  };
}

function text({ person, isNew, key, file, line, files }: TrustAddReport): string {
  return [
    `wrote    ${file}:${line}: ${isNew ? person : `a key of ${person}`}, ${printable(key.fingerprint)}`,
    `compare  the fingerprint with ${person}, in person or by telephone`,
    "check    sluice trust check",
    `next     git add ${files.join(" ")} && git commit -S -m "trust: add ${person}"`,
    "         signed by you and approved by a colleague: a change never brings its own judge",
    "",
  ].join("\n");
}
