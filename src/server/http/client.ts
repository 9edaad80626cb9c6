/**
 * Calls a gate over the network. The certificate is verified whatever the environment says, a redirect is a refusal
 * (a token is for one address), and nothing that comes back is larger than it may be.
 */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import * as z from "zod";
import { decodeUtf8, gatherBytes } from "../../lib/bytes.ts";
import type { JsonValue } from "../../lib/canonical.ts";
import { isCode } from "../../lib/codes.ts";
import { isThisMachine, isTrustFailure } from "../../lib/connection.ts";
import { type ErrorDetails, SluiceError } from "../../lib/errors.ts";
import { parseStrictJson } from "../../lib/json.ts";

const MAXIMUM_ANSWER_BYTES = 32 * 1024 * 1024;
const MAXIMUM_DEPTH = 100;
/** A little more than the gate takes for a check. */
const DEADLINE_MS = 11 * 60_000;

export interface GateAddress {
  /** `https://gate.example`, or plain http on this machine. */
  readonly url: string;
  /** null where the gate knows nobody by name. */
  readonly token: string | null;
  /** PEM of the authority of its certificate; null for those that the system trusts. */
  readonly authority: string | null;
  /** Longest wait, milliseconds. */
  readonly deadlineMs?: number;
}

/** Of a problem, only what is shown; a gate that is newer may say more. */
const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string().max(2000),
  fix: z.string().max(2000),
});

/**
 * Posts, bytes as they are and anything else as JSON, and reads the answer into the shape of `schema`.
 * @throws SluiceError the gate's own refusal by its code; `gate-untrusted`, `gate-unreachable`
 */
export async function callGate<T>(
  address: GateAddress,
  path: string,
  body: JsonValue | Uint8Array,
  schema: z.ZodType<T>,
): Promise<T> {
  const base = gateUrl(address.url);
  const { status, text } = await exchange(address, new URL(path, base), body);
  const reading = parseStrictJson(text, { bytes: MAXIMUM_ANSWER_BYTES, depth: MAXIMUM_DEPTH });
  const value = reading.kind === "value" ? reading.value : null;
  if (status === 200) {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw unreachableGate(base, "answers in a form that this version does not know");
  }
  const problem = problemSchema.safeParse(value);
  if (!problem.success) throw unreachableGate(base, `answers ${status}, and not as a gate does`);
  const { code, detail, fix } = problem.data;
  if (isCode(code)) throw new SluiceError(code, detail, { fix });
  throw unreachableGate(base, `refuses with ${JSON.stringify(code.slice(0, 60))}, which this version does not know`);
}

/** @throws SluiceError `usage`; `gate-untrusted` for what would show the token to the network */
function gateUrl(text: string): URL {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw notAnAddress(`https://${text}`, "begins with https://");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw notAnAddress("", "is no address");
  if (url.username !== "" || url.password !== "") throw notAnAddress(text, "holds no name and no password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") throw notAnAddress(text, "has no path");
  if (url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url))) return url;
  throw new SluiceError("gate-untrusted", `${url.protocol}//${url.host} is not https.`, {
    fix: `--gate https://${url.host}`,
  });
}

/** The fix is what was meant as far as it can be told: scheme, host and port of `text`. */
function notAnAddress(text: string, rule: string): SluiceError {
  const meant = URL.canParse(text) ? new URL(text).origin : "https://gate.example";
  return new SluiceError("usage", `The address that --gate takes ${rule}.`, { fix: `--gate ${meant}` });
}

interface Exchanged {
  readonly status: number;
  readonly text: string;
}

function exchange(
  { token, authority, deadlineMs = DEADLINE_MS }: GateAddress,
  url: URL,
  content: JsonValue | Uint8Array,
): Promise<Exchanged> {
  const isRaw = content instanceof Uint8Array;
  const body = isRaw ? content : JSON.stringify(content);
  const isSecure = url.protocol === "https:";
  return new Promise((done, fail) => {
    const request = (isSecure ? secureRequest : plainRequest)(url, {
      method: "POST",
      agent: false,
      signal: AbortSignal.timeout(deadlineMs),
      ...(isSecure ? { rejectUnauthorized: true, ...(authority === null ? {} : { ca: authority }) } : {}),
      headers: {
        accept: "application/json",
        "content-type": isRaw ? "application/octet-stream" : "application/json",
        "content-length": Buffer.byteLength(body),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    request.once("error", (cause) => fail(connectionFailure(url, cause)));
    request.once("response", (response) => {
      readAnswer(response).then(done, (cause) => {
        request.destroy();
        fail(cause instanceof SluiceError ? cause : connectionFailure(url, cause));
      });
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Exchanged> {
  const tooLarge = () => new SluiceError("gate-unreachable", "The answer is larger than 32 MiB.");
  const bytes = await gatherBytes(response, MAXIMUM_ANSWER_BYTES, tooLarge);
  return { status: response.statusCode ?? 0, text: decodeUtf8(bytes) ?? "" };
}

function connectionFailure(url: URL, cause: unknown): SluiceError {
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? "";
  if (isTrustFailure(code)) {
    return new SluiceError("gate-untrusted", `The certificate of ${url.host} is not trusted here (${code}).`, {
      cause,
    });
  }
  return unreachableGate(url, `does not answer (${code === "" ? "no answer" : code})`, { cause, retryable: true });
}

function unreachableGate({ host, origin }: URL, what: string, more: ErrorDetails = {}): SluiceError {
  const fix = `Try \`curl ${origin}/healthz\`; then run the command again.`;
  return new SluiceError("gate-unreachable", `${host} ${what}.`, { ...more, fix });
}
