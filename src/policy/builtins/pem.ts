/** PEM as Go's encoding/pem reads it: whatever is no block is passed over. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

const BEGIN = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t]*\r?\n/g;
const HEADER = /^[^\n:]+:[^\n]*\n/;

export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  BEGIN.lastIndex = 0;
  for (let found = BEGIN.exec(text); found !== null; found = BEGIN.exec(text)) {
    const [whole, label = ""] = found;
    const start = found.index + whole.length;
    const mark = `-----END ${label}-----`;
    const end = text.indexOf(mark, start);
    if (end < 0) continue;
    const bytes = decoded(text.slice(start, end));
    if (bytes === null) continue;
    blocks.push({ label, bytes });
    BEGIN.lastIndex = end + mark.length;
  }
  return blocks;
}

function decoded(body: string): Uint8Array | null {
  let rest = body;
  while (HEADER.test(rest)) rest = rest.replace(HEADER, "");
  return strictBase64(rest.replaceAll(/[ \t\r\n]/g, ""));
}

/** Go's base64.StdEncoding, line breaks apart; null where it has an error. */
export function strictBase64(text: string): Uint8Array | null {
  const plain = text.replaceAll(/[\r\n]/g, "");
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) return null;
  return Buffer.from(plain, "base64");
}
