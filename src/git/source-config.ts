/**
 * The one question asked of a judged repository's configuration: how are its ids hashed, and are its references files?
 * Nothing else in it is looked at, no include is followed. A lie here only makes objects unfindable: all are re-hashed.
 */
import { SluiceError } from "../lib/errors.ts";
import type { ObjectFormat } from "./object.ts";

const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)\s*("(?:[^"\\]|\\.)*"\s*)?\]\s*(.*)$/;
const SETTING = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*?)\s*)?$/;
const READ = new Set(["objectformat", "refstorage"]);

/** @throws SluiceError `not-supported` for anything but sha1 or sha256 ids and references in files */
export function readObjectFormat(config: string): ObjectFormat {
  const settings = extensions(config);
  const storage = settings.get("refstorage") ?? ["files"];
  if (storage.some((value) => value !== "files")) throw reftable();
  const formats = new Set(settings.get("objectformat") ?? ["sha1"]);
  const [format] = formats;
  if (formats.size === 1 && (format === "sha1" || format === "sha256")) return format;
  throw new SluiceError(
    "not-supported",
    "The repository's configuration names an object format that Sluice does not know.",
  );
}

/** Values of `[extensions]` (no subsection), lower-cased keys, in order. */
function extensions(config: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let inside = false;
  for (const line of config.replace(/\\\r?\n/g, " ").split("\n")) {
    const section = SECTION.exec(line);
    if (section !== null) inside = section[1]?.toLowerCase() === "extensions" && section[2] === undefined;
    const setting = SETTING.exec(section === null ? line : (section[3] ?? ""));
    const key = setting?.[1]?.toLowerCase();
    if (!inside || key === undefined || !READ.has(key)) continue;
    found.set(key, [...(found.get(key) ?? []), plainValue(setting?.[2] ?? "")]);
  }
  return found;
}

function plainValue(text: string): string {
  const bare = text.replace(/\s*[#;].*$/, "");
  return (/^"(.*)"$/.exec(bare)?.[1] ?? bare).toLowerCase();
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
