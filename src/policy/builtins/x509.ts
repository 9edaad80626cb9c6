/** `crypto.x509.*` and `crypto.parse_private_keys`. */
import type { KeyObject } from "node:crypto";
import { X509Certificate } from "node:crypto";
import type { RegoValue } from "../rego-value.ts";
import {
  BuiltinError,
  type BuiltinFamily,
  type CallContext,
  integerIn,
  itemsIn,
  object,
  objectOf,
  textOf,
} from "./call.ts";
import { type PemBlock, pemBlocks, strictBase64 } from "./pem.ts";
import { base64, orFailure, orNull } from "./x509-fields.ts";
import { goKey, jwkOf, privateKey, privateKeys } from "./x509-keys.ts";
import { type GoCertificate, readCertificates, readRequest } from "./x509-read.ts";
import { verifyChain } from "./x509-verify.ts";

export const BUILTINS: BuiltinFamily = {
  "crypto.x509.parse_certificates": (operands) => certificatesIn(textOf(operands, 0)).map(shown),
  "crypto.x509.parse_certificate_request": (operands) => parseRequest(textOf(operands, 0)),
  "crypto.x509.parse_and_verify_certificates": (operands, context) =>
    verify(textOf(operands, 0), { name: "", time: null, usages: [] }, context, shown),
  "crypto.x509.parse_and_verify_certificates_with_options": (operands, context) =>
    verify(textOf(operands, 0), optionsIn(operands), context, ({ fields }) => object(fields)),
  "crypto.x509.parse_keypair": (operands) => parseKeyPair(textOf(operands, 0), textOf(operands, 1)),
  "crypto.x509.parse_rsa_private_key": (operands) => parseJwk(textOf(operands, 0)),
  "crypto.parse_private_keys": (operands) => parseKeys(textOf(operands, 0)),
};

const BEGIN = "-----BEGIN";
const NS_PER_MS = 1_000_000n;
const USAGES = [
  ...["KeyUsageAny", "KeyUsageServerAuth", "KeyUsageClientAuth", "KeyUsageCodeSigning", "KeyUsageEmailProtection"],
  ...["KeyUsageIPSECEndSystem", "KeyUsageIPSECTunnel", "KeyUsageIPSECUser", "KeyUsageTimeStamping"],
  ...["KeyUsageOCSPSigning", "KeyUsageMicrosoftServerGatedCrypto", "KeyUsageNetscapeServerGatedCrypto"],
  ...["KeyUsageMicrosoftCommercialCodeSigning", "KeyUsageMicrosoftKernelCodeSigning"],
];

function shown({ fields, parts }: GoCertificate): RegoValue {
  return object({ ...fields, URIStrings: orNull(parts.names.uri) });
}

function fromBase64(text: string): Uint8Array {
  const bytes = strictBase64(text);
  if (bytes === null) throw new BuiltinError("illegal base64 data");
  return bytes;
}

function certificatesIn(text: string): readonly GoCertificate[] {
  if (text.startsWith(BEGIN)) return certificatesInPem(text);
  const bytes = fromBase64(text);
  const decoded = Buffer.from(bytes).toString("latin1");
  return decoded.startsWith(BEGIN) ? certificatesInPem(decoded) : readCertificates(bytes);
}

function certificatesInPem(text: string): readonly GoCertificate[] {
  const blocks = pemBlocks(text);
  const other = blocks.find(({ label }) => label !== "CERTIFICATE");
  if (other !== undefined) throw new BuiltinError(`PEM block type is '${other.label}', expected CERTIFICATE`);
  return readCertificates(Buffer.concat(blocks.map(({ bytes }) => bytes)));
}

function parseRequest(text: string): RegoValue {
  const isPem = text.startsWith(`${BEGIN} CERTIFICATE REQUEST-----`);
  const bytes = isPem ? Buffer.from(text) : fromBase64(text);
  const [block] = pemBlocks(Buffer.from(bytes).toString("latin1"));
  if (block !== undefined && block.label !== "CERTIFICATE REQUEST")
    throw new BuiltinError("invalid PEM-encoded certificate signing request");
  return orFailure(() => readRequest(block?.bytes ?? bytes));
}

interface Options {
  readonly name: string;
  readonly time: bigint | null;
  readonly usages: readonly number[];
}

function optionsIn(operands: readonly RegoValue[]): Options {
  const options: { name: string; time: bigint | null; usages: number[] } = { name: "", time: null, usages: [] };
  for (const [key, value] of objectOf(operands, 1).entries) {
    if (typeof key !== "string") continue;
    switch (key) {
      case "DNSName":
        if (typeof value !== "string") throw new BuiltinError("'DNSName' should be a string");
        options.name = value.replaceAll(/^"+|"+$/g, "");
        break;
      case "CurrentTime":
        options.time = integerIn(value);
        if (options.time === null) throw new BuiltinError("'CurrentTime' should be a valid int64 number");
        break;
      case "MaxConstraintComparisons":
        if (integerIn(value) === null) throw new BuiltinError("'MaxConstraintComparisons' should be a number");
        break;
      case "KeyUsages":
        options.usages = usagesIn(itemsIn(value));
        break;
      default:
        throw new BuiltinError("invalid key option");
    }
  }
  return options;
}

function usagesIn(items: readonly RegoValue[] | null): number[] {
  if (items === null) throw new BuiltinError("'KeyUsages' should be an Array or Set");
  const names = items.filter((one) => typeof one === "string").map((one) => one.replaceAll(/^"+|"+$/g, ""));
  const unknown = names.filter((one) => !USAGES.includes(one));
  if (unknown.length > 0) throw new BuiltinError(`invalid entries for 'KeyUsages' found: [${unknown.join(" ")}]`);
  return names.map((one) => USAGES.indexOf(one));
}

/** Without an instant in the options it is the recorded one: the clock of the machine is nobody's evidence. */
function verify(
  text: string,
  { name, time, usages }: Options,
  { nowNs }: CallContext,
  show: (one: GoCertificate) => RegoValue,
): RegoValue {
  const at = time === null || time === 0n ? nowNs : time;
  if (at === null) throw new BuiltinError("no time is recorded to verify certificates at");
  try {
    const chain = verifyChain(certificatesIn(text), { name, at: Number(at / NS_PER_MS), usages });
    return chain === null ? [false, []] : [true, chain.map(show)];
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return [false, []];
    throw thrown;
  }
}

function pemOrBase64(text: string): string {
  return text.startsWith(BEGIN) ? text : Buffer.from(fromBase64(text)).toString("latin1");
}

/** Go's tls.X509KeyPair. */
function parseKeyPair(certificate: string, key: string): RegoValue {
  const [chain, keyText] = [pemOrBase64(certificate), pemOrBase64(key)];
  const blocks: readonly PemBlock[] = chain.startsWith(BEGIN)
    ? pemBlocks(chain).filter(({ label }) => label === "CERTIFICATE")
    : [{ label: "CERTIFICATE", bytes: Buffer.from(chain, "latin1") }];
  const [leaf] = readCertificates(blocks[0]?.bytes ?? new Uint8Array(0));
  if (leaf === undefined) throw new BuiltinError("failed to find any PEM data in certificate input");
  const own = keyText.startsWith(BEGIN)
    ? privateKeys(pemBlocks(keyText).filter(({ label }) => label.endsWith("PRIVATE KEY")))[0]
    : privateKey(Buffer.from(keyText, "latin1"), "pkcs8");
  if (own === undefined) throw new BuiltinError("failed to find any PEM data in key input");
  if (!belongTogether(leaf, own)) throw new BuiltinError("private key does not match public key");
  return object({
    Certificate: blocks.map(({ bytes }) => base64(bytes)),
    PrivateKey: goKey(own),
    SupportedSignatureAlgorithms: null,
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    Leaf: object(leaf.fields),
  });
}

function belongTogether(leaf: GoCertificate, key: KeyObject): boolean {
  try {
    return new X509Certificate(leaf.der).checkPrivateKey(key);
  } catch {
    return false;
  }
}

function parseJwk(text: string): RegoValue {
  if (text === "") throw new BuiltinError("input PEM data was empty");
  const [first] = keysIn(pemOrBase64(text));
  return first === undefined ? null : jwkOf(first);
}

function parseKeys(text: string): RegoValue {
  return text === "" ? null : keysIn(text).map(goKey);
}

function keysIn(text: string): readonly KeyObject[] {
  const decoded = strictBase64(text);
  return privateKeys(pemBlocks(decoded === null ? text : Buffer.from(decoded).toString("latin1")));
}
