/** Found keys as the text of a `people.yaml`, each key beside its fingerprint, and the key files that it names. */
import { formatTime } from "../lib/time.ts";
import { writeKeyArmour } from "./armour.ts";
import type { Found, FoundAuthority, FoundKey } from "./trust-import.ts";

export interface ImportedPerson {
  readonly id: string;
  readonly emails: readonly string[];
  readonly keys: readonly FoundKey[];
}

export interface PeopleFiles {
  readonly people: readonly ImportedPerson[];
  /** By path from the trust folder, `people.yaml` among them. */
  readonly files: ReadonlyMap<string, string>;
}

/** Keys that share an address belong to one person; a key that stands twice stands once. */
export function toPeopleFiles(found: Found): PeopleFiles {
  const people = named(grouped(found.keys));
  const files = new Map<string, string>();
  const sections = people.map((person) => personText(person, files));
  const authorities = distinct(found.authorities).map(authorityText);
  const text = [HEAD, "people:", ...(sections.length === 0 ? ["  {}"] : sections)];
  if (authorities.length > 0) text.push("authorities:", ...authorities);
  files.set("people.yaml", `${text.join("\n")}\n`);
  return { people, files };
}

const HEAD = [
  "# Compare every fingerprint with its owner before this file is used: nothing here proves who somebody is.",
  "# Roles, robots and forges are yours to add; `sluice trust check` says what is still missing.",
].join("\n");

function distinct<T extends { readonly fingerprint: string }>(list: readonly T[]): readonly T[] {
  return [...new Map(list.map((one) => [one.fingerprint, one])).values()];
}

interface Group {
  readonly emails: readonly string[];
  readonly keys: readonly FoundKey[];
}

function grouped(keys: readonly FoundKey[]): readonly Group[] {
  let groups: Group[] = [];
  for (const key of distinct(keys)) {
    const emails = new Set(keys.filter((one) => one.fingerprint === key.fingerprint).flatMap((one) => one.emails));
    const shared = groups.filter((group) => group.emails.some((email) => emails.has(email)));
    const all = [...new Set([...shared.flatMap((group) => group.emails), ...emails])];
    groups = groups.filter((group) => !shared.includes(group));
    groups.push({ emails: all, keys: [...shared.flatMap((group) => group.keys), key] });
  }
  return groups;
}

/** `ada` for ada@example.com, `ada-2` for the next one. */
function named(groups: readonly Group[]): readonly ImportedPerson[] {
  const taken = new Set<string>();
  return groups.map((group) => {
    const local = (group.emails[0] ?? "").split("@")[0] ?? "";
    const plain =
      local
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .slice(0, 40)
        .replace(/^-+|-+$/g, "") || "person";
    let id = plain;
    for (let number = 2; taken.has(id); number++) id = `${plain}-${number}`;
    taken.add(id);
    return { id, ...group };
  });
}

function personText({ id, emails, keys }: ImportedPerson, files: Map<string, string>): string {
  const lines = [`  ${id}:`, `    email: [${emails.map(quoted).join(", ")}]`, "    keys:"];
  for (const [index, key] of keys.entries()) {
    const name = keys.length === 1 ? `keys/${id}.asc` : `keys/${id}-${index + 1}.asc`;
    if (key.certificate !== null) files.set(name, writeKeyArmour(key.certificate));
    const what = key.line === null ? `file: ${name}` : `ssh: ${quoted(key.line)}`;
    lines.push(`      # ${key.fingerprint}, ${comment(key.source)}`, `      - {${[what, ...window(key)].join(", ")}}`);
  }
  return lines.join("\n");
}

function authorityText(authority: FoundAuthority, index: number): string {
  const { line, fingerprint, patterns, source } = authority;
  const fields = [`ssh: ${quoted(line)}`, `email: [${patterns.map(quoted).join(", ")}]`, ...window(authority)];
  return `  # ${fingerprint}, ${comment(source)}\n  ssh-authority-${index + 1}: {${fields.join(", ")}}`;
}

function window({ from, until }: Pick<FoundKey, "from" | "until">): readonly string[] {
  return [
    ...(from === null ? [] : [`from: ${formatTime(from).replace(".000Z", "Z")}`]),
    ...(until === null ? [] : [`until: ${formatTime(until).replace(".000Z", "Z")}`]),
  ];
}

/** JSON is YAML; what a line break or a control character could end is escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function comment(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
