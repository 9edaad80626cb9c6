/**
 * One commit of each format and kind of key, verified whole, beside what node:crypto alone takes for the signatures that
 * cannot be left out: one for a listed key; for gitsign also that of the certificate and of the log that promised to show it.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import type { Commit } from "../src/git/object.ts";
import { openVerifier, type Verifier } from "../src/signature/verify.ts";
import { commitOf, HEADERS, signedRaw, sshKeyPair, sshSign, trustOf } from "../test/support/signing.ts";
import { ed25519Signer, sshSig } from "../test/support/sshsig.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import { armoured, authority, cms, memberCertificate, pem } from "../test/support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../test/support/x509-sigstore.ts";
import { type BenchOptions, type Beside, type Row, repeatedly, timed } from "./measure.ts";

const AREA = "formats";
const COMMITS = 50;
const COMMITS_QUICK = 4;
const CALLS = 20;
const EMAIL = "ada@example.com";

type Sign = (payload: Buffer) => Uint8Array | string;

interface Kind {
  readonly what: string;
  readonly sign: Sign;
  readonly keys: readonly string[];
  /** Of the signatures in it, and how many of them. */
  readonly limit: keyof typeof LIMITS;
  readonly signatures: number;
}

const LIMITS = {
  Ed25519: [() => generateKeyPairSync("ed25519"), null],
  "P-256": [() => generateKeyPairSync("ec", { namedCurve: "P-256" }), "sha256"],
  "P-384": [() => generateKeyPairSync("ec", { namedCurve: "P-384" }), "sha384"],
  "RSA 3072": [() => generateKeyPairSync("rsa", { modulusLength: 3072 }), "sha512"],
} as const;

export async function benchFormats({ seconds, quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  progress("formats: signing");
  const sigstore = new Sigstore();
  const root = authority("Example root");
  const kinds = [...sshKinds(scope), ...x509Kinds(sigstore, root)];
  const trust = await trustOf(
    {
      people: { ada: { email: [EMAIL], keys: kinds.flatMap((kind) => kind.keys) } },
      authorities: {
        company: { certificate: "ca.pem", email: ["*@example.com"] },
        keyless: { root: "root.json", identities: [{ issuer: PROVIDER, email: EMAIL, person: "ada" }] },
      },
    },
    { "ca.pem": pem("CERTIFICATE", root.der), "root.json": sigstore.trustedRoot() },
  );
  const verifier = await openVerifier(trust, "sha1");
  const rows: Row[] = [];
  for (const kind of kinds) {
    progress(`formats: ${kind.what}`);
    rows.push(await rowOf(kind, verifier, quick ? COMMITS_QUICK : COMMITS, seconds / 8));
  }
  return rows;
}

function sshKinds(scope: Scope): readonly Kind[] {
  const folder = tempFolder(scope);
  const ed25519 = ed25519Signer();
  const real = (name: string, type: string, bits: number, limit: Kind["limit"]): Kind => {
    const pair = sshKeyPair(folder, name, type, bits);
    return {
      what: `SSH, ${limit}`,
      sign: (payload) => sshSign(pair, payload),
      keys: [pair.line],
      limit,
      signatures: 1,
    };
  };
  return [
    {
      what: "SSH, Ed25519",
      sign: (payload) => sshSig(ed25519, payload),
      keys: [ed25519.line],
      limit: "Ed25519",
      signatures: 1,
    },
    real("p256", "ecdsa", 256, "P-256"),
    real("p384", "ecdsa", 384, "P-384"),
    real("rsa", "rsa", 3072, "RSA 3072"),
  ];
}

function x509Kinds(sigstore: Sigstore, root: ReturnType<typeof authority>): readonly Kind[] {
  const member = memberCertificate(root, EMAIL);
  return [
    {
      what: "X.509, a company's certificate, P-256",
      sign: (payload) => armoured(cms(payload, member)),
      keys: [],
      limit: "P-256",
      signatures: 1,
    },
    {
      what: "X.509, gitsign, each commit with a certificate of its own, P-256",
      sign: (payload) => armoured(cms(payload, sigstore.identity({ name: { email: EMAIL } }))),
      keys: [],
      limit: "P-256",
      signatures: 3,
    },
  ];
}

async function rowOf(kind: Kind, verifier: Verifier, count: number, seconds: number): Promise<Row> {
  const commits = Array.from({ length: count }, (_, index) => signedCommit(kind.sign, index));
  const at = { instant: Date.now() + 60_000, basis: "receipt" } as const;
  const verifyAll = async () => {
    for (const commit of commits) {
      const { verification } = await verifier.verifyLasting(commit, at);
      if (verification.kind !== "verified") throw new Error(`${kind.what}: ${verification.detail}`);
    }
  };
  await verifyAll();
  const measured = await timed(CALLS, count, verifyAll);
  return {
    area: AREA,
    what: `${kind.what}, ${count} commits a call`,
    measured,
    beside: [limitOf(kind, count, seconds)],
  };
}

function signedCommit(signer: Sign, index: number): Commit {
  const message = `\nchange ${index}\n`;
  return commitOf(signedRaw(signer(Buffer.from(HEADERS + message)), HEADERS, message));
}

function limitOf({ limit, signatures }: Kind, count: number, seconds: number): Beside {
  const [make, digest] = LIMITS[limit];
  const { privateKey } = make() as { privateKey: KeyObject };
  const payload = Buffer.alloc(600, "tree and parent and author and message ");
  const [signature, key] = [sign(digest, payload, privateKey), createPublicKey(privateKey)];
  const measured = repeatedly(seconds, count, () => {
    for (let at = 0; at < count * signatures; at += 1) {
      if (!verify(digest, payload, key, signature)) throw new Error(`${limit} does not verify`);
    }
  });
  const times = signatures === 1 ? "" : `, ${signatures} a commit`;
  return { kind: "limit", what: `node:crypto verify, ${limit}${times}`, measured };
}
