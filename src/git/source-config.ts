/**
 * The questions asked of a judged repository's configuration: how are its ids hashed, are its references files, and what
 * is its origin called? Nothing else in it is looked at, no include is followed. A lie about the first two only makes
 * objects unfindable: all are re-hashed. The name goes into a preview and an approval, where the gate compares it.
 */
import { SluiceError } from "../lib/errors.ts";
import type { ObjectFormat } from "./object.ts";

const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)\s*("(?:[^"\\]|\\.)*"\s*)?\]\s*(.*)$/;
const SETTING = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*?)\s*)?$/;
/** The last part of an address or a path, without the ending that bare repositories have. */
const LAST_NAME = /([^/\\:]+?)(?:\.git)?[/\\]*$/;

/** @throws SluiceError `not-supported` for anything but sha1 or sha256 ids and references in files */
export function readObjectFormat(config: string): ObjectFormat {
  const settings = settingsOf(config, "extensions", undefined);
  const storage = lowered(settings.get("refstorage") ?? ["files"]);
  if (storage.some((value) => value !== "files")) throw reftable();
  const formats = new Set(lowered(settings.get("objectformat") ?? ["sha1"]));
  const [format] = formats;
  if (formats.size === 1 && (format === "sha1" || format === "sha256")) return format;
  throw new SluiceError(
    "not-supported",
    "The repository's configuration names an object format that Sluice does not know.",
  );
}

function lowered(values: readonly string[]): readonly string[] {
  return values.map((value) => value.toLowerCase());
}

/**
 * What the first `url` of `[remote "origin"]` ends with: `shop` of `git@git.example:team/shop.git`. null without one.
 * Folders are called as their owners like; where a clone came from, most people call alike.
 */
export function originName(config: string): string | null {
  const [url] = settingsOf(config, "remote", "origin").get("url") ?? [];
  return LAST_NAME.exec(url?.replace(/[?#].*$/, "") ?? "")?.[1] ?? null;
}

/** Values of one section by lower-cased key, in order. */
function settingsOf(config: string, name: string, subsection: string | undefined): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let inside = false;
  for (const line of config.replace(/\\\r?\n/g, " ").split("\n")) {
    const section = SECTION.exec(line);
    if (section !== null) inside = section[1]?.toLowerCase() === name && unquoted(section[2]) === subsection;
    const setting = SETTING.exec(section === null ? line : (section[3] ?? ""));
    const key = setting?.[1]?.toLowerCase();
    if (!inside || key === undefined) continue;
    found.set(key, [...(found.get(key) ?? []), plainValue(setting?.[2] ?? "")]);
  }
  return found;
}

function unquoted(subsection: string | undefined): string | undefined {
  return subsection?.trim().slice(1, -1).replace(/\\(.)/g, "$1");
}

function plainValue(text: string): string {
  const bare = text.replace(/\s*[#;].*$/, "");
  return /^"(.*)"$/.exec(bare)?.[1] ?? bare;
}

export function reftable(): SluiceError {
  return new SluiceError(
    "not-supported",
    "The repository keeps its references in a reftable, which Sluice does not read yet.",
    {
      fix: "git refs migrate --ref-format=files",
    },
  );
}
