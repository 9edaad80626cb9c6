/** Bodies and queries: bounded, strict JSON, closed types. */
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type * as z from "zod";
import { decodeUtf8, gatherBytes } from "../../lib/bytes.ts";
import type { JsonValue } from "../../lib/canonical.ts";
import { SluiceError } from "../../lib/errors.ts";
import { type JsonReading, parseStrictJson } from "../../lib/json.ts";

export type Incoming = IncomingMessage | Http2ServerRequest;

const DEPTH = 30;
const JSON_TYPE = /^application\/json(?: *; *charset="?utf-8"?)?$/i;
const SHOWN_PROBLEMS = 3;

/** @throws SluiceError `media-type-unknown`, `request-too-large`, `request-invalid` */
export async function readJson(request: Incoming, maximumBytes: number, depth = DEPTH): Promise<JsonValue> {
  refuseOtherTypes(request);
  const text = decodeUtf8(await readBytes(request, maximumBytes));
  if (text === null) throw new SluiceError("request-invalid", "The body is not UTF-8.");
  return strictJson(parseStrictJson(text, { bytes: maximumBytes, depth }));
}

function strictJson(reading: JsonReading): JsonValue {
  if (reading.kind === "value") return reading.value;
  const { message, line, column } = reading;
  throw new SluiceError("request-invalid", `The body is refused at line ${line}, column ${column}: ${message}`);
}

/** @throws SluiceError `media-type-unknown` */
export function refuseOtherTypes({ headers }: Pick<Incoming, "headers">): void {
  if (!JSON_TYPE.test(headers["content-type"] ?? "")) {
    throw new SluiceError("media-type-unknown", "The body's type is not application/json.");
  }
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    throw new SluiceError("media-type-unknown", "The body is compressed, which is not read.", {
      fix: "send it as it is",
    });
  }
}

/** Says so before it reads where the length is announced, and stops where it is not. */
export async function readBytes(request: Incoming, maximumBytes: number): Promise<Uint8Array> {
  const tooLarge = new SluiceError("request-too-large", `The body is larger than ${maximumBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maximumBytes) throw tooLarge;
  try {
    // The stream is not ended with the loop: node:http throws the rest away, so that whoever still sends hears the answer.
    return await gatherBytes(request.iterator({ destroyOnReturn: false }), maximumBytes, () => tooLarge);
  } catch (cause) {
    if (cause === tooLarge) throw tooLarge;
    throw new SluiceError("request-invalid", "The body ended before it was whole.", { cause });
  }
}

/** True where a body is announced, whatever the method. */
export function hasBody({ headers }: Incoming): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** @throws SluiceError `request-invalid` with the first problems, by key; values are never repeated */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, SHOWN_PROBLEMS).map(({ path, message }) => {
    const key = path.map(String).join(".");
    return key === "" ? message : `${key}: ${message}`;
  });
  throw new SluiceError("request-invalid", `The ${what} is refused: ${problems.join("; ").slice(0, 500)}.`);
}

/** Each key once, or in a list where the schema wants one; so that no two readers see two values. */
export function queryObject(query: URLSearchParams, lists: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  const read = new Map<string, string | string[]>();
  for (const [key, value] of query) {
    const before = read.get(key);
    if (lists.has(key)) read.set(key, Array.isArray(before) ? [...before, value] : [value]);
    else if (before === undefined) read.set(key, value);
    else throw new SluiceError("request-invalid", `The query says ${JSON.stringify(key.slice(0, 80))} twice.`);
  }
  return Object.fromEntries(read);
}
