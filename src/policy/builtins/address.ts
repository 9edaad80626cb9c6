/** IP addresses as numbers, read and written as Go's net.ParseIP and net.IP.String do it. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** null for anything that is no address; zones are none, and leading zeros in IPv4 are refused. */
export function parseAddress(text: string): Address | null {
  if (!text.includes(":")) {
    const value = parseFour(text);
    return value === null ? null : { bits: 32, value };
  }
  const value = parseSix(text);
  if (value === null) return null;
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}

function parseFour(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseSix(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [left, right] = halves.map(groups);
  if (left === null || left === undefined || right === null) return null;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...left, ...Array<bigint>(Math.max(0, missing)).fill(0n), ...(right ?? [])];
  return all.reduce((value, group) => value * 65_536n + group, 0n);
}

/** The last group may be an IPv4 address. */
function groups(text: string): readonly bigint[] | null {
  if (text === "") return [];
  const found: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      found.push(BigInt(`0x${part}`));
      continue;
    }
    const four = index === parts.length - 1 ? parseFour(part) : null;
    if (four === null) return null;
    found.push(four >> 16n, four & 0xffffn);
  }
  return found;
}

/** The longest run of two or more zero groups is written `::`. */
export function formatAddress({ bits, value }: Address): string {
  const width = bits === 32 ? 8n : 16n;
  const count = bits === 32 ? 4 : 8;
  const parts = Array.from(
    { length: count },
    (_, index) => (value >> (width * BigInt(count - 1 - index))) % 2n ** width,
  );
  if (bits === 32) return parts.join(".");
  const texts = parts.map((part) => part.toString(16));
  const run = longestRun(texts);
  if (run === null) return texts.join(":");
  return `${texts.slice(0, run.start).join(":")}::${texts.slice(run.start + run.length).join(":")}`;
}

function longestRun(texts: readonly string[]): { start: number; length: number } | null {
  let best: { start: number; length: number } | null = null;
  for (let start = 0; start < texts.length; start++) {
    let length = 0;
    while (texts[start + length] === "0") length++;
    if (length > 1 && length > (best?.length ?? 0)) best = { start, length };
  }
  return best;
}
