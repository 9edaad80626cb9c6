/**
 * An exported audit log of a Kubernetes API server: one audit.k8s.io/v1 Event a line. Every line is one of three things: a
 * write that happened, something else, or broken; none is passed over. Nothing is dropped as a repetition: `auditID` is the
 * client's to choose (header Audit-ID), so that two writes may bear one.
 */
import { closeSync, openSync, readSync } from "node:fs";
import * as z from "zod";
import { decodeUtf8 } from "../../lib/bytes.ts";
import { SluiceError } from "../../lib/errors.ts";
import { type Instant, parseTime } from "../../lib/time.ts";

/** The API server itself cuts what it writes at 10 MiB, where it cuts at all. */
const MAXIMUM_LINE_BYTES = 16 * 2 ** 20;
const MAXIMUM_LINES = 20_000_000;
const PIECE_BYTES = 1 << 20;
const LINE_END = 0x0a;

/** What a write is of; `name` null for a whole collection. */
export interface WrittenObject {
  readonly group: string;
  /** In the plural and in small letters, as in URLs: `deployments`. */
  readonly resource: string;
  readonly subresource: string | null;
  readonly namespace: string;
  readonly name: string | null;
}

export type AuditLine =
  | {
      readonly kind: "write";
      readonly line: number;
      readonly at: Instant;
      readonly verb: string;
      /** Who asked, and who they asked to be taken for. */
      readonly users: readonly string[];
      readonly object: WrittenObject;
    }
  | { readonly kind: "other"; readonly line: number; readonly stage: string }
  | { readonly kind: "broken"; readonly line: number; readonly detail: string };

/** @throws SluiceError `audit-log-unreadable`, `audit-log-too-long` */
export function* auditLines(
  path: string,
  maximumBytes = MAXIMUM_LINE_BYTES,
  maximumLines = MAXIMUM_LINES,
): Generator<AuditLine> {
  let line = 0;
  for (const bytes of boundedLines(path, maximumBytes)) {
    line += 1;
    if (line > maximumLines)
      throw new SluiceError("audit-log-too-long", `${path} has more than ${maximumLines} lines.`);
    yield bytes === null
      ? { kind: "broken", line, detail: `it has more than ${maximumBytes} bytes` }
      : readAuditLine(decodeUtf8(bytes), line);
  }
}

const text = z.string();
const userSchema = z.object({ username: text.optional() });
const eventSchema = z.object({
  kind: z.literal("Event"),
  apiVersion: z.literal("audit.k8s.io/v1"),
  stage: text,
  verb: text,
  requestURI: text,
  user: userSchema,
  impersonatedUser: userSchema.nullish(),
  objectRef: z
    .object({
      apiGroup: text.optional(),
      resource: text.optional(),
      subresource: text.optional(),
      namespace: text.optional(),
      name: text.optional(),
    })
    .nullish(),
  responseStatus: z.object({ code: z.int().optional() }).nullish(),
  stageTimestamp: text,
});
type AuditEvent = z.infer<typeof eventSchema>;

/** How an answered request ends: with an answer, or by falling over after it may have written. */
const LAST_STAGES: readonly string[] = ["ResponseComplete", "Panic"];
/** Every other verb writes. */
const READING_VERBS: readonly string[] = ["get", "list", "watch", "head", "options", "proxy"];
/** They change nothing that a release says: what controllers observe, and what goes through an object. */
const HARMLESS_SUBRESOURCES: readonly string[] = ["status", "token", "log", "exec", "attach", "portforward", "proxy"];
const REFUSED_FROM = 400;

export function readAuditLine(line: string | null, number: number): AuditLine {
  const parsed = eventSchema.safeParse(parseJson(line));
  if (!parsed.success) return broken(number, faultOf(line, parsed.error));
  const event = parsed.data;
  const at = parseTime(event.stageTimestamp);
  if (at === null) return broken(number, "its stageTimestamp is no time in UTC");
  const object = isWrite(event) ? objectOf(event) : null;
  if (object === null) return { kind: "other", line: number, stage: event.stage };
  const users = [event.user, ...(event.impersonatedUser ? [event.impersonatedUser] : [])];
  return { kind: "write", line: number, at, verb: event.verb, users: users.map((one) => one.username ?? ""), object };
}

function broken(line: number, detail: string): AuditLine {
  return { kind: "broken", line, detail };
}

function faultOf(line: string | null, error: z.ZodError): string {
  if (line === null) return "it is no text in UTF-8";
  if (parseJson(line) === undefined) return "it is no JSON";
  const path = error.issues[0]?.path.join(".") ?? "";
  return path === "" ? "it is no object" : `${path} is not as in an Event of audit.k8s.io/v1`;
}

function isWrite({ stage, verb, responseStatus, requestURI }: AuditEvent): boolean {
  if (!LAST_STAGES.includes(stage) || READING_VERBS.includes(verb)) return false;
  return (responseStatus?.code ?? 0) < REFUSED_FROM && !isDryRun(verb, requestURI);
}

/** A deletion with a body takes its options from there and not from the URL: for it the URL says nothing. */
function isDryRun(verb: string, requestURI: string): boolean {
  if (verb.startsWith("delete")) return false;
  const values = new URLSearchParams(requestURI.split("?")[1] ?? "").getAll("dryRun");
  return values.length > 0 && values.every((value) => value === "All");
}

/** null for what is no object: a path of its own, or a subresource that changes nothing. */
function objectOf({ objectRef }: AuditEvent): WrittenObject | null {
  const { resource, apiGroup = "", subresource = "", namespace = "", name = "" } = objectRef ?? {};
  if (resource === undefined || resource === "" || HARMLESS_SUBRESOURCES.includes(subresource)) return null;
  return {
    group: apiGroup,
    resource,
    subresource: subresource === "" ? null : subresource,
    namespace: resource === "namespaces" && apiGroup === "" ? "" : namespace, // it names itself there
    name: name === "" ? null : name,
  };
}

/** undefined for text that is not JSON: no schema accepts it. */
function parseJson(line: string | null): unknown {
  try {
    return line === null ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Each line without its end; null for one that is too long, of which no more than that is ever held. */
function* boundedLines(path: string, maximumBytes: number): Generator<Uint8Array | null> {
  const file = open(path);
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    let kept: Buffer[] | null = [];
    let size = 0;
    const take = (part: Buffer) => {
      size += part.byteLength;
      if (size > maximumBytes) kept = null;
      else if (part.byteLength > 0) kept?.push(Buffer.from(part));
    };
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      const filled = piece.subarray(0, read);
      let start = 0;
      for (let at = filled.indexOf(LINE_END); at >= 0; at = filled.indexOf(LINE_END, start)) {
        take(filled.subarray(start, at));
        yield kept === null ? null : Buffer.concat(kept);
        [kept, size, start] = [[], 0, at + 1];
      }
      take(filled.subarray(start));
    }
    if (size > 0) yield kept === null ? null : Buffer.concat(kept);
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new SluiceError("audit-log-unreadable", `${path} cannot be read.`, { cause });
  }
}
