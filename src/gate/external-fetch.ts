/**
 * Asks one source of data from outside. The address is the operator's; what its name leads to is checked again here,
 * because whoever resolves names could let it point at what only this machine may reach. Nothing of the address or the
 * answer is in a message.
 */
import { lookup } from "node:dns";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { decodeUtf8, gatherBytes } from "../lib/bytes.ts";
import { isThisMachine, isTrustFailure } from "../lib/connection.ts";
import { SluiceError } from "../lib/errors.ts";
import { MAXIMUM_EXTERNAL_BYTES } from "../policy/external.ts";

export interface SourceAddress {
  readonly name: string;
  readonly url: string;
  /** PEM; null for those that the system trusts. */
  readonly authority: string | null;
  /** Sent as a bearer token. */
  readonly token: string | null;
  readonly deadlineMs: number;
}

/**
 * @param resolve the system's resolver
 * @throws SluiceError `external-unreachable`, `external-address`, `external-too-large`, `external-malformed`
 */
export async function fetchSource(address: SourceAddress, resolve: typeof lookup = lookup): Promise<string> {
  const { name, deadlineMs } = address;
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    return await readAnswer(name, await ask(address, signal, resolve));
  } catch (thrown) {
    throw failureOf(name, signal.aborted ? deadlineMs : null, thrown);
  }
}

function ask(
  { url: text, authority, token }: SourceAddress,
  signal: AbortSignal,
  resolve: typeof lookup,
): Promise<IncomingMessage> {
  const url = new URL(text);
  refuseAddress(url);
  const isSecure = url.protocol === "https:";
  const trust = { rejectUnauthorized: true, ...(authority === null ? {} : { ca: authority }) };
  const headers = {
    accept: "application/json",
    "accept-encoding": "identity",
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((done, fail) => {
    const request = (isSecure ? secureRequest : plainRequest)(url, {
      agent: false,
      signal,
      lookup: guardedLookup(isThisMachine(url), resolve),
      headers,
      ...(isSecure ? trust : {}),
    });
    request.once("error", fail);
    request.once("response", done);
    request.end();
  });
}

async function readAnswer(name: string, response: IncomingMessage): Promise<string> {
  try {
    if (response.statusCode !== 200)
      throw new SluiceError("external-unreachable", `The source ${name} answers ${response.statusCode}, not 200.`);
    const tooLarge = () => new SluiceError("external-too-large", `What the source ${name} gave is larger than 1 MiB.`);
    const text = decodeUtf8(await gatherBytes(response, MAXIMUM_EXTERNAL_BYTES, tooLarge));
    if (text !== null) return text;
    throw new SluiceError("external-malformed", `What the source ${name} gave is not UTF-8 text.`);
  } finally {
    response.destroy();
  }
}

function failureOf(name: string, lateAfterMs: number | null, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  if (cause instanceof AddressRefused)
    return new SluiceError("external-address", `The source ${name} is at an address that no source has.`, { cause });
  const why = lateAfterMs === null ? reasonOf(cause) : `does not answer within ${lateAfterMs} ms`;
  return new SluiceError("external-unreachable", `The source ${name} ${why}.`, { retryable: true, cause });
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? "no answer";
  return isTrustFailure(code) ? `shows a certificate that is not trusted here (${code})` : `does not answer (${code})`;
}

class AddressRefused extends Error {}

const HERE = new BlockList();
HERE.addSubnet("127.0.0.0", 8);
HERE.addAddress("::1", "ipv6");

/** Of the link (there clouds keep their metadata), of no machine, of many machines; and what clouds use beside them. */
const NOWHERE = new BlockList();
NOWHERE.addSubnet("0.0.0.0", 8);
NOWHERE.addSubnet("169.254.0.0", 16);
NOWHERE.addSubnet("224.0.0.0", 3);
NOWHERE.addAddress("100.100.100.200");
NOWHERE.addAddress("168.63.129.16");
NOWHERE.addAddress("192.0.0.192");
NOWHERE.addAddress("::", "ipv6");
NOWHERE.addSubnet("fe80::", 10, "ipv6");
NOWHERE.addSubnet("ff00::", 8, "ipv6");
NOWHERE.addSubnet("fd00:ec2::", 32, "ipv6");

function isRefused(address: string, family: number, mayBeHere: boolean): boolean {
  const type = family === 6 ? "ipv6" : "ipv4";
  return NOWHERE.check(address, type) || (!mayBeHere && HERE.check(address, type));
}

/** An address that is written out is asked of no resolver. @throws AddressRefused */
function refuseAddress(url: URL): void {
  const address = url.hostname.replace(/^\[|\]$/g, "");
  const family = isIP(address);
  if (family !== 0 && isRefused(address, family, isThisMachine(url))) throw new AddressRefused();
}

/** What is checked is what is connected to: no second look-up comes between. */
function guardedLookup(mayBeHere: boolean, resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) callback(error ?? new Error("no address"), "", 4);
      else if (found.some(({ address, family }) => isRefused(address, family, mayBeHere)))
        callback(new AddressRefused(), "", 4);
      else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}
