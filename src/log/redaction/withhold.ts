/** What is left beside an entry when some of its values are taken away; the leaf, which commits to them, stays as it is. */
import { utf8 } from "../../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../../lib/canonical.ts";
import { SluiceError } from "../../lib/errors.ts";
import type { Disclosure, Erasure, Term } from "../entry.ts";
import { parseDisclosures } from "../stored.ts";
import { termsLeft } from "./terms-left.ts";

/** As the tables hold them: JSON texts, and the leaf's bytes. */
export interface DisclosureRow {
  readonly terms: unknown;
  readonly json: unknown;
  readonly bytes: unknown;
}

/** @throws SluiceError `log-corrupt` */
export function withhold(
  row: DisclosureRow | undefined,
  { index, names }: Erasure,
): { readonly terms: string; readonly json: string } {
  const disclosed = parseDisclosures(utf8(String(row?.json)));
  if (row === undefined || disclosed === null)
    throw new SluiceError("log-corrupt", `The values beside entry ${index} are damaged.`);
  const left = Object.entries(disclosed).map(([name, one]) => [name, names.includes(name) ? null : one] as const);
  const leaf = JSON.parse(Buffer.from(row.bytes as Uint8Array).toString("utf8")) as JsonObject;
  const said = [leaf["subject"] ?? null, ...left.map(([, one]) => one?.value ?? null)];
  const pairs = JSON.parse(String(row.terms)) as readonly [Term["kind"], string][];
  const terms = termsLeft(
    pairs.map(([kind, value]) => ({ kind, value })),
    said,
  );
  return { terms: JSON.stringify(terms.map(({ kind, value }) => [kind, value])), json: textOf(left) };
}

/** As their writer lays them out. */
function textOf(disclosed: readonly (readonly [string, Disclosure | null])[]): string {
  const texts = disclosed.map(([name, one]) => {
    const value = one === null ? "null" : `{"salt":${JSON.stringify(one.salt)},"value":${canonicalJson(one.value)}}`;
    return `${JSON.stringify(name)}:${value}`;
  });
  return `{${texts.join(",")}}`;
}
