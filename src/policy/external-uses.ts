/** Which external sources a set of policies reads, and where: told by the compiler, found again in the text. */
import { SluiceError } from "../lib/errors.ts";
import { EXTERNAL_NAME, EXTERNAL_PACKAGE, type ExternalUse } from "./external.ts";

interface Text {
  readonly path: string;
  readonly text: string;
}

const ROOT = `data.${EXTERNAL_PACKAGE}`;
/** As the compiler writes what it knows of a path: up to the first part that is not constant. */
const NAMED = new RegExp(`^${ROOT}\\.(\\w+)(?=$|[.[])`);

export function isExternal(name: string): boolean {
  return name === ROOT || name.startsWith(`${ROOT}.`) || name.startsWith(`${ROOT}[`);
}

/**
 * @param read names of base documents below `data.external`
 * @returns sorted by name
 * @throws SluiceError `external-unnamed` where a policy reads all sources, or one whose name only evaluation knows: then
 * nobody could say beforehand what has to be asked
 */
export function externalUses(read: readonly string[], texts: readonly Text[]): readonly ExternalUse[] {
  const names = new Set(read.map((name) => nameIn(name, texts)));
  return [...names].sort().map((name) => ({ name, ...placeOf(new RegExp(`\\b${name}\\b`), texts) }));
}

function nameIn(read: string, texts: readonly Text[]): string {
  const name = NAMED.exec(read)?.[1];
  if (name !== undefined && EXTERNAL_NAME.test(name)) return name;
  const { file, line, column } = placeOf(null, texts);
  const place = file === null ? "" : `${file}:${line}:${column} `;
  throw new SluiceError("external-unnamed", `${place}${read} is read, and not one source by its name.`, {
    position: file === null ? null : { file, line, column },
  });
}

/**
 * As far as the text alone says, for policies of which nobody knows beforehand what they will be asked.
 * @throws SluiceError `external-unnamed`
 */
export function writtenUses(texts: readonly Text[]): readonly ExternalUse[] {
  const read = texts.flatMap(({ text }) => linesOf(text).flatMap((line) => line.match(READINGS) ?? []));
  return externalUses(
    read.map((written) => written.replace('["external"]', ".external")),
    texts,
  );
}

const READING = /(?<![.\w"])data(?:\.external\b|\["external"\])/;
/** With the name, where one follows. */
const READINGS = new RegExp(`${READING.source}(?:\\.\\w+)?`, "g");

/** Comments as empty lines. */
function linesOf(text: string): readonly string[] {
  return text.split("\n").map((line) => (/^\s*#/.test(line) ? "" : line));
}

/** The first line that reads external data and says the name; where it is imported, the first that reads any. */
function placeOf(name: RegExp | null, texts: readonly Text[]): Omit<ExternalUse, "name"> {
  const places = texts.flatMap(({ path, text }) =>
    linesOf(text).flatMap((line, index) => {
      const at = line.search(READING);
      return at < 0 ? [] : [{ file: path, line: index + 1, column: at + 1, rest: line.slice(at) }];
    }),
  );
  const [first] = places;
  const found = (name === null ? undefined : places.find(({ rest }) => name.test(rest))) ?? first;
  if (found === undefined) return { file: null, line: null, column: null };
  const { file, line, column } = found;
  return { file, line, column };
}
