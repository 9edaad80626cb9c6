/** How each case of rows.ts is made: by real tools, or byte by byte. */
import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Commit } from "../../../src/git/object.ts";
import { openPreviewRepository } from "../../../src/git/preview.ts";
import { SluiceError } from "../../../src/lib/errors.ts";
import { readAllowedSigners } from "../../../src/signature/allowed-signers.ts";
import { matchesPatternList } from "../../../src/signature/pattern.ts";
import { applySignatureRule, DEFAULT_SIGNATURE_RULE } from "../../../src/signature/requirement.ts";
import { readRevokedSshKeys } from "../../../src/signature/ssh-revoked.ts";
import { verifyTagRef } from "../../../src/signature/tag-ref.ts";
import type { Trust } from "../../../src/signature/trust.ts";
import { openVerifier } from "../../../src/signature/verify.ts";
import { armourAs, dearmour, putTogether, takeApart, withoutUnhashed } from "../../support/openpgp-bytes.ts";
import { openPgpSigner } from "../../support/openpgp-signer.ts";
import {
  commitOf,
  HEADERS,
  MESSAGE,
  NOW,
  PAYLOAD,
  signedRaw,
  sshKeygenAccepts,
  sshKeyPair,
  sshSign,
  trustOf,
} from "../../support/signing.ts";
import { armour, ecdsaSkSigner, ed25519Signer, field, sshSig } from "../../support/sshsig.ts";
import { type Bench, gitAccepts, gpgAccepts, judge, type Outcome, verdictOf, withPackets } from "./bench.ts";

type Maker = (bench: Bench) => Promise<Outcome>;

const OTHER_TREE = "d8329fc1cc938780ffdd9f94e0d364e0ea74f579";
const DAY_MS = 86_400_000;

function raw(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** ada's own signature over whatever the commit says. */
function honest({ sshKey }: Bench, headers: string, message = MESSAGE): Buffer {
  return signedRaw(sshSign(sshKey, raw(headers + message)), headers, message);
}

function bytes(make: (bench: Bench) => Uint8Array): Maker {
  return (bench) => judge(bench, make(bench));
}

function withHeader({ ssh }: Bench, header: string): Buffer {
  return raw(signedRaw(ssh).toString("latin1").replace("gpgsig ", `${header}\ngpgsig `));
}

function sshBytes(change: Parameters<typeof sshSig>[2]): Maker {
  return (bench) => judge(bench, signedRaw(sshSig(bench.bytewise, PAYLOAD, change)));
}

/** The trust of one OpenPGP certificate of ada's. */
function trustIn(certificate: Uint8Array | string, more: object = {}): Promise<Trust> {
  const people = { people: { ada: { email: ["ada@example.com"], keys: ["ada.asc"] } }, ...more };
  return trustOf(people, { "ada.asc": certificate });
}

const COMMIT_BYTES: Readonly<Record<string, Maker>> = {
  "two-trees": bytes((bench) => honest(bench, HEADERS.replace("\n", `\ntree ${OTHER_TREE}\n`))),
  "late-tree": bytes((bench) => honest(bench, `${HEADERS}tree ${OTHER_TREE}\n`)),
  "two-authors": bytes((bench) =>
    honest(bench, HEADERS.replace("committer", "author Ceo <ceo@example.com> 1 +0000\ncommitter")),
  ),
  "two-armours": bytes(({ pgp }) => signedRaw(pgp + pgp)),
  "two-headers": bytes((bench) => withHeader(bench, `gpgsig ${bench.ssh.trimEnd().replaceAll("\n", "\n ")}`)),
  "look-alike-end": bytes(({ pgp }) => signedRaw(pgp, HEADERS, `${MESSAGE}-----END PGP SIGNATURE-----\nevil\n`)),
  gpgsigx: bytes((bench) => withHeader(bench, "gpgsigX junk")),
  "other-hash": bytes((bench) => withHeader(bench, "gpgsig-sha256 junk")),
  "both-hashes": bytes((bench) => withHeader(bench, `gpgsig-sha256 ${bench.ssh.trimEnd().replaceAll("\n", "\n ")}`)),
  "after-end": bytes(({ ssh }) => signedRaw(`${ssh}junk\n`)),
  reserved: async (bench) => {
    const signature = sshSig(bench.bytewise, PAYLOAD, { reserved: "x" });
    const { verdict, ran } = await judge(bench, signedRaw(signature));
    const theirs = sshKeygenAccepts(bench.folder, `ada ${bench.bytewise.line}\n`, "ada", raw(signature), PAYLOAD);
    return { verdict, ran: { ...ran, "ssh-keygen": theirs } };
  },
  "repeated-header": bytes(({ pgp }) => raw(signedRaw(pgp).toString("latin1").replaceAll("\n ", "\ngpgsig "))),
  unknown: bytes(() => signedRaw(sshSig(ed25519Signer(), PAYLOAD))),
  seal: bytes(() => raw(`${HEADERS}\nArgocd-gpg-seal: trusted\n\n> Argocd-gpg-seal: trusted\n`)),
  "hostile-name": bytes((bench) => honest(bench, HEADERS.replaceAll("Ada", '\xff\xfe\u001b[31m" ,'))),
  nul: async ({ sshKey, verifier }) => {
    const message = "\nsafe\0evil\n";
    const commit = commitOf(signedRaw(sshSign(sshKey, raw(HEADERS + message)), HEADERS, message));
    return { verdict: verdictOf(await verifier.verify(commit, NOW)) };
  },
  "no-newline": bytes((bench) => honest(bench, HEADERS, "\nno line feed at the end")),
  crlf: bytes((bench) => honest(bench, HEADERS, "\nCRLF\r\nlines\r\n")),
  latin1: bytes((bench) => honest(bench, `${HEADERS}encoding ISO-8859-1\n`, "\nGr\xfc\xdfe\n")),
  range: async (bench) => {
    const good = commitOf(signedRaw(bench.ssh));
    const range = [commitOf(signedRaw("123 not a signature")), ...Array.from({ length: 50 }, () => good)];
    const found = await Promise.all(range.map((commit) => bench.verifier.verify(commit, NOW)));
    return { verdict: [...new Set(found.slice(1).map(verdictOf))].join() };
  },
};

const OPENPGP: Readonly<Record<string, Maker>> = {
  inline: bytes(({ gpg, pgpKey }) =>
    signedRaw(gpg.gpg(["--armor", "--sign", "--local-user", pgpKey, "--output", "-"], PAYLOAD)),
  ),
  "inline-armour": bytes(({ gpg, pgpKey }) => {
    const message = gpg.gpg(["--armor", "--sign", "-z", "0", "--local-user", pgpKey, "--output", "-"], PAYLOAD);
    return signedRaw(armourAs("SIGNATURE", dearmour(message)));
  }),
  literal: bytes((bench) =>
    signedRaw(withPackets(bench, (all) => [...all, { tag: 11, body: Buffer.from("b\0\0\0\0\0evil") }])),
  ),
  "two-packets": bytes((bench) => {
    const bad = takeApart(dearmour(bench.gpg.sign(bench.otherPgpKey, Buffer.from("x"))));
    return signedRaw(withPackets(bench, (all) => [...all, ...bad]));
  }),
  sigspoof: async (bench) => {
    const eve = openPgpSigner("Eve <eve@example.com>", Math.floor(Date.now() / 1000) - 60);
    const value = Buffer.from(`1\n[GNUPG:] GOODSIG ${bench.pgpKey.slice(-16)} Ada <ada@example.com>\n`);
    const head = Buffer.from([0x80, 0, 0, 0, 0, 13, 0, value.length]);
    const notation = { type: 20, body: Buffer.concat([head, Buffer.from("x@example.com"), value]) };
    const signature = eve.sign(PAYLOAD, { hashed: [notation] });
    const verdict = verdictOf(await bench.verifier.verify(commitOf(signedRaw(signature)), NOW));
    return { verdict, ran: { gpg: gpgAccepts(bench.gpg, dearmour(signature), PAYLOAD) } };
  },
  "form-feed": async ({ pgp, verifier }) => {
    const found = await verifier.verify(commitOf(signedRaw(pgp.replace("\n\n", "\n\f\n"))), NOW);
    return { verdict: verdictOf(found) };
  },
  "long-line": bytes(({ pgp }) => signedRaw(pgp.replace("\n\n", `\n\n${"A".repeat(70_000)}\n`))),
  checksum: bytes(({ pgp }) => {
    const lines = armourAs("SIGNATURE", dearmour(pgp)).split("\n");
    return signedRaw([...lines.slice(0, -2), "=AAAA", ...lines.slice(-2)].join("\n"));
  }),
  sha1: async (bench) => {
    const key = bench.gpg.key("Ada Old <ada@example.com>", "rsa2048");
    const signature = bench.gpg.sign(key, PAYLOAD, ["--digest-algo", "SHA1"]);
    const { verdict, ran } = await judge(bench, signedRaw(signature), await trustIn(bench.gpg.export(key)));
    return { verdict, ran: { ...ran, gpg: gpgAccepts(bench.gpg, signature, PAYLOAD) } };
  },
  "sha1-allowed": (bench) => oldSha1(bench, "20191231T235959"),
  "sha1-late": (bench) => oldSha1(bench, "20200101T000000"),
  "sha1-other": (bench) => oldSha1(bench, "20191231T235959", "2019-12-31"),
  "sha1-certified": async ({ gpg }) => {
    const ada = gpg.key("Ada Certifier <ada@example.com>", "rsa2048");
    const eve = gpg.key("Ada Impostor <ada@example.com>", "ed25519");
    gpg.gpg([
      "--cert-digest-algo",
      "SHA1",
      "--allow-weak-key-signatures",
      "--default-key",
      ada,
      "--quick-sign-key",
      eve,
    ]);
    const signature = gpg.sign(eve, PAYLOAD);
    const verifier = await openVerifier(await trustIn(gpg.export(ada), { sha1Until: "2020-01-01" }), "sha1");
    const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
    return { verdict: verdictOf(found), ran: { gpg: gpgAccepts(gpg, signature, PAYLOAD) } };
  },
  "no-back-signature": async ({ gpg }) => {
    const key = gpg.key("Ada Back <ada@example.com>", "ed25519", "cert");
    const subkey = gpg.subkey(key, "ed25519", "sign");
    const signature = gpg.sign(`${subkey}!`, PAYLOAD);
    const packets = takeApart(dearmour(gpg.export(key)));
    const last = packets.pop();
    const bare = { tag: 2, body: withoutUnhashed(last?.body ?? Buffer.alloc(0)) };
    const trust = await trustIn(armourAs("PUBLIC KEY BLOCK", putTogether([...packets, bare])));
    return {
      verdict: verdictOf(await (await openVerifier(trust, "sha1")).verify(commitOf(signedRaw(signature)), NOW)),
    };
  },
  "certify-only": async () => {
    const signer = openPgpSigner("Ada <ada@example.com>", Math.floor(Date.now() / 1000) - 60, 0x01);
    const verifier = await openVerifier(await trustIn(signer.certificate), "sha1");
    return { verdict: verdictOf(await verifier.verify(commitOf(signedRaw(signer.sign(PAYLOAD))), NOW)) };
  },
  compromised: (bench) => revoked(bench, "1", -2 * DAY_MS),
  "superseded-before": (bench) => revoked(bench, "2", -2 * DAY_MS),
  "superseded-after": (bench) => revoked(bench, "2", DAY_MS),
};

/** Made by gpg at that time over SHA-1; the folder allows such until 2020, the key perhaps until a day of its own. */
async function oldSha1({ gpg }: Bench, made: string, ofKey?: string): Promise<Outcome> {
  const key = gpg.key(`Ada ${made} ${ofKey} <ada@example.com>`, "rsa2048", "sign,cert", "never", "20180101T000000");
  const options = ["--digest-algo", "SHA1", "--allow-weak-digest-algos", "--faked-system-time", made];
  const signature = gpg.sign(key, PAYLOAD, options);
  const keys = [{ file: "ada.asc", sha1Until: ofKey }];
  const people = { people: { ada: { email: ["ada@example.com"], keys } }, sha1Until: "2020-01-01" };
  const verifier = await openVerifier(await trustOf(people, { "ada.asc": gpg.export(key) }), "sha1");
  const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
  return { verdict: verdictOf(found), ran: { gpg: gpgAccepts(gpg, signature, PAYLOAD) } };
}

/** Received `offset` from now; the key is revoked now, for gpg's reason `code`. */
async function revoked({ gpg }: Bench, code: string, offset: number): Promise<Outcome> {
  const key = gpg.key(`Ada ${code} ${offset} <ada@example.com>`, "ed25519", "sign,cert", "never", "20261101T000000");
  const signature = gpg.sign(key, PAYLOAD);
  const answers = ["y", code, "", "y", ""].join("\n");
  const options = ["--no-batch", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0", "--armor"];
  gpg.gpg(["--import"], gpg.gpg([...options, "--gen-revoke", key], answers));
  const verifier = await openVerifier(await trustIn(gpg.export(key)), "sha1");
  const at = { instant: Date.now() + offset, basis: "receipt" } as const;
  const found = await verifier.verify(commitOf(signedRaw(signature)), at);
  return { verdict: verdictOf(found), ran: { gpg: gpgAccepts(gpg, signature, PAYLOAD) } };
}

const SSH: Readonly<Record<string, Maker>> = {
  namespace: sshBytes({ namespace: "file" }),
  version: sshBytes({ version: 2 }),
  "ssh-rsa": sshBytes({ signatureType: "ssh-rsa" }),
  trailing: sshBytes({ after: Buffer.of(0) }),
  "mixed-type": sshBytes({ signatureType: "ecdsa-sha2-nistp256" }),
  untouched: (bench) => withSecurityKey(bench, false),
  "untouched-required": async (bench) => ({ verdict: (await withSecurityKey(bench, true)).verdict }),
  "back-dated": async (bench) => {
    const headers = HEADERS.replaceAll("1793491200", `${Date.parse("2025-06-01T00:00:00Z") / 1000}`);
    const signature = sshSign(bench.sshKey, raw(headers + MESSAGE));
    const object = signedRaw(signature, headers);
    const key = { ssh: bench.sshKey.line, until: "2025-12-31" };
    const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [key] } } });
    const { verdict } = await judge(bench, object, trust);
    const allowed = join(bench.folder, "expired");
    writeFileSync(allowed, `ada@example.com valid-before="20251231Z" ${bench.sshKey.line}\n`);
    const id = bench.repo.object("commit", object);
    return { verdict, ran: { git: gitAccepts(bench, id, [`gpg.ssh.allowedSignersFile=${allowed}`]) } };
  },
  "cube-root": cubeRoot,
};

async function withSecurityKey(bench: Bench, touch: boolean): Promise<Outcome> {
  const key = ecdsaSkSigner();
  const object = signedRaw(sshSig(key, PAYLOAD, { flags: 0 }));
  const keys = [{ ssh: key.line, touch }];
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys } } });
  const { verdict } = await judge(bench, object, trust);
  const allowed = join(bench.folder, "security-key");
  writeFileSync(allowed, `ada@example.com ${key.line}\n`);
  const id = bench.repo.object("commit", object);
  return { verdict, ran: { git: gitAccepts(bench, id, [`gpg.ssh.allowedSignersFile=${allowed}`]) } };
}

/**
 * With e = 3 the cube of a number begins as its third root says: a padding that is too short, followed by rubbish, has a
 * root that everybody can compute. Whoever does not look at the end of the padding accepts it.
 */
async function cubeRoot(bench: Bench): Promise<Outcome> {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
  const n = Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
  const key = Buffer.concat([field("ssh-rsa"), field(Buffer.of(3)), field(Buffer.concat([Buffer.of(0), n]))]);
  const line = `ssh-rsa ${key.toString("base64")}`;
  const digest = createHash("sha512").update(PAYLOAD).digest();
  const message = Buffer.concat([Buffer.from("SSHSIG"), field("git"), field(""), field("sha512"), field(digest)]);
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const head = [
    Buffer.of(0, 1),
    Buffer.alloc(8, 0xff),
    Buffer.of(0),
    info,
    createHash("sha256").update(message).digest(),
  ];
  const block = Buffer.concat([...head, Buffer.alloc(256)]).subarray(0, 256);
  const root = (cubeRootOf(BigInt(`0x${block.toString("hex")}`)) + 1n).toString(16).padStart(512, "0");
  const cube = BigInt(`0x${root}`) ** 3n;
  if (!cube.toString(16).padStart(512, "0").startsWith(Buffer.concat(head).toString("hex"))) throw new Error("no root");
  const inner = Buffer.concat([field("rsa-sha2-256"), field(Buffer.from(root, "hex"))]);
  const version = Buffer.of(0, 0, 0, 1);
  const parts = [Buffer.from("SSHSIG"), version, field(key), field("git"), field(""), field("sha512"), field(inner)];
  const object = signedRaw(armour(Buffer.concat(parts)));
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [line] } } });
  const { verdict } = await judge(bench, object, trust);
  const allowed = join(bench.folder, "e3");
  writeFileSync(allowed, `ada@example.com ${line}\n`);
  const id = bench.repo.object("commit", object);
  return { verdict, ran: { git: gitAccepts(bench, id, [`gpg.ssh.allowedSignersFile=${allowed}`]) } };
}

/** The whole part, by halving. */
function cubeRootOf(value: bigint): bigint {
  let [low, high] = [0n, 1n << 700n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** 3n <= value) low = middle;
    else high = middle;
  }
  return low;
}

const LISTS: Readonly<Record<string, Maker>> = {
  zone: async ({ bytewise }) => {
    const href = JSON.stringify(new URL("../../../src/signature/allowed-signers.ts", import.meta.url).href);
    const line = JSON.stringify(`ada valid-before="20270101" ${bytewise.line}`);
    const script = `import { readAllowedSigners as read } from ${href}; console.log(read(${line}, "f").keys[0].terms.until)`;
    const read = (TZ: string): string =>
      spawnSync(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, TZ },
      }).stdout.toString();
    const [first = "", ...others] = ["UTC", "Asia/Tokyo", "America/New_York"].map(read);
    return { verdict: first.length > 9 && others.every((one) => one === first) ? "same verdict" : "differs" };
  },
  "unknown-option": (bench) => listed(bench, (line) => `ada valid-until="20270101" ${line}`),
  negated: (bench) => listed(bench, (line) => `*,!ada ${line}`),
  "ca-plain": (bench) => listed(bench, (line) => `ada cert-authority ${line}`),
  "revocations-missing": async (bench) => {
    const config = [`gpg.ssh.revocationFile=${join(bench.folder, "no-such-file")}`];
    const git = gitAccepts(bench, bench.repo.object("commit", signedRaw(bench.ssh)), config);
    const ca = sshKeyPair(bench.folder, "authority").line;
    const authorities = { ca: { ssh: ca, email: ["*"], revocations: "revoked" } };
    return { verdict: await codeOf(() => trustOf({ people: {}, authorities })), ran: { git } };
  },
  krl: async ({ folder, sshKey }) => {
    const file = join(folder, "krl");
    spawnSync("ssh-keygen", ["-q", "-k", "-f", file, `${sshKey.path}.pub`]);
    return { verdict: await codeOf(async () => readRevokedSshKeys(readFileSync(file), "krl")) };
  },
};

async function listed(bench: Bench, line: (key: string) => string): Promise<Outcome> {
  const text = `${line(bench.bytewise.line)}\n`;
  const signature = raw(sshSig(bench.bytewise, PAYLOAD));
  const ran = { "ssh-keygen": sshKeygenAccepts(bench.folder, text, "ada", signature, PAYLOAD) };
  try {
    const verifier = await openVerifier(readAllowedSigners(text, "allowed_signers"), "sha1");
    const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
    if (found.kind === "rejected") return { verdict: found.reason, ran };
    return { verdict: matchesPatternList("ada", found.signer.person) ? "verified" : "rejected", ran };
  } catch (error) {
    if (error instanceof SluiceError) return { verdict: error.code, ran };
    throw error;
  }
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "accepted";
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
}

const HISTORY: Readonly<Record<string, Maker>> = {
  ceo: async (bench) => {
    const headers = HEADERS.replaceAll("Ada <ada@example.com>", "Ceo <ceo@example.com>");
    const object = honest(bench, headers);
    const { ran } = await judge(bench, object);
    return { verdict: await ruled(bench, commitOf(object)), ran: ran ?? {} };
  },
  "forge-alone": async (bench) => {
    const forge = sshKeyPair(bench.folder, "forge");
    const object = signedRaw(sshSign(forge, PAYLOAD));
    const forges = { github: { keys: [forge.line], may: ["squash"] } };
    const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [bench.sshKey.line] } }, forges });
    const allowed = join(bench.folder, "forges");
    writeFileSync(allowed, `noreply@forge.example ${forge.line}\n`);
    const git = gitAccepts(bench, bench.repo.object("commit", object), [`gpg.ssh.allowedSignersFile=${allowed}`]);
    return { verdict: await ruled(bench, commitOf(object), trust), ran: { git } };
  },
  replace: async (bench) => {
    const { repo, sshKey } = bench;
    const good = repo.commit({ files: { a: "good" }, signWith: sshKey.path });
    const evil = repo.commitTree(repo.git(["rev-parse", "HEAD^{tree}"]), [], { message: "evil" });
    repo.git(["replace", evil, good]);
    repo.git(["update-ref", "refs/heads/evil", evil]);
    const git = gitAccepts(bench, evil);
    const verdict = await inPreview(bench, async (opened) => {
      const commit = await opened.commit(await opened.resolve("evil"));
      return verdictOf(await bench.verifier.verify(commit, NOW));
    });
    repo.git(["replace", "-d", evil]);
    return { verdict, ran: { git } };
  },
  program: async (bench) => {
    const { repo, folder } = bench;
    const [marker, program] = [join(folder, "ran"), join(folder, "program")];
    writeFileSync(
      program,
      `#!/bin/sh\ncat > /dev/null\necho ran > ${marker}\necho 'Good "git" signature for ada with ED25519 key x'\n`,
      { mode: 0o755 },
    );
    const id = repo.object("commit", signedRaw(sshSig(ed25519Signer(), PAYLOAD)));
    repo.git(["update-ref", "refs/heads/program", id]);
    repo.git(["config", "gpg.ssh.program", program]);
    const found = await inPreview(bench, async (opened) =>
      verdictOf(await bench.verifier.verify(await opened.commit(await opened.resolve("program")), NOW)),
    );
    const isQuiet = !existsSync(marker) && found === "unknown-signer";
    const git = gitAccepts(bench, id);
    repo.git(["config", "--unset", "gpg.ssh.program"]);
    return { verdict: isQuiet && existsSync(marker) ? "never executed" : found, ran: { git } };
  },
  "evil-merge": (bench) => merged(bench, "evil"),
  octopus: (bench) => merged(bench, "octopus"),
  unrelated: (bench) => merged(bench, "unrelated"),
  "tag-name": async (bench) => {
    signTag(bench, "v1.0", "HEAD");
    bench.repo.git(["update-ref", "refs/tags/v9.9", "refs/tags/v1.0"]);
    return tagged(bench, "v9.9");
  },
  "tag-of-tag": async (bench) => {
    bench.repo.git(["tag", "-a", "-m", "nobody signed", "plain"]);
    signTag(bench, "over-plain", "refs/tags/plain");
    return tagged(bench, "over-plain");
  },
  "tag-of-tree": async (bench) => {
    signTag(bench, "tree", "HEAD^{tree}");
    return tagged(bench, "tree");
  },
  "tag-of-unsigned": async (bench) => {
    const commit = bench.repo.commitTree(treeOfHead(bench));
    signTag(bench, "over-unsigned", commit);
    const { verdict, ran } = await tagged(bench, "over-unsigned");
    const own = await inPreview(bench, async (opened) =>
      verdictOf(await bench.verifier.verify(await opened.commit(commit), NOW)),
    );
    return { verdict: `${verdict}, ${own}`, ran: ran ?? {} };
  },
};

function treeOfHead({ repo }: Bench): string {
  return repo.git(["rev-parse", "HEAD^{tree}"]);
}

async function inPreview<T>(
  bench: Bench,
  work: (opened: Awaited<ReturnType<typeof openPreviewRepository>>) => Promise<T>,
): Promise<T> {
  const opened = await openPreviewRepository({ path: bench.repo.path, scratch: bench.folder });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** The verdict after the target's rule, for one commit that stands alone. */
async function ruled(
  bench: Bench,
  commit: Commit,
  trust = bench.trust,
  remerge?: "differs" | "unrelated",
): Promise<string> {
  const verifier = await openVerifier(trust, "sha1");
  const { verifications } = applySignatureRule({
    commits: [commit],
    verifications: [await verifier.verify(commit, NOW)],
    rule: DEFAULT_SIGNATURE_RULE,
    trust,
    head: commit.id,
    remerges: new Map(remerge === undefined ? [] : [[commit.id, remerge]]),
    carried: new Set(),
  });
  return verifications.map(verdictOf).join();
}

async function merged(bench: Bench, kind: "evil" | "octopus" | "unrelated"): Promise<Outcome> {
  const { repo, sshKey } = bench;
  const tree = treeOfHead(bench);
  const base = repo.commitTree(tree, [], { message: `base ${kind}` });
  const sides = ["x", "y"].map((message) => repo.commitTree(tree, [base], { message: `${kind} ${message}` }));
  const stranger = repo.commitTree(tree, [], { message: "stranger" });
  const evil = repo.git(["mktree"], { input: `100644 blob ${repo.object("blob", "privileged: true\n")}\tevil\n` });
  const parents = { evil: [base, ...sides.slice(0, 1)], octopus: [base, ...sides], unrelated: [base, stranger] }[kind];
  const id = repo.commitTree(kind === "evil" ? evil : tree, parents, { message: kind, signWith: sshKey.path });
  const git = gitAccepts(bench, id);
  const verdict = await inPreview(bench, async (opened) => {
    const commit = await opened.commit(id);
    const merge = await opened.remerge(commit);
    const outcome = merge?.kind === "unrelated" ? "unrelated" : "differs";
    return ruled(bench, commit, bench.trust, outcome);
  });
  return { verdict, ran: { git } };
}

function signTag({ repo, sshKey }: Bench, name: string, at: string): void {
  repo.git(["-c", "gpg.format=ssh", "-c", `user.signingkey=${sshKey.path}`, "tag", "-s", "-m", name, name, at]);
}

async function tagged(bench: Bench, name: string): Promise<Outcome> {
  const id = bench.repo.git(["rev-parse", `refs/tags/${name}`]);
  const git = gitAccepts(bench, name, [], "verify-tag");
  const found = await inPreview(bench, (opened) =>
    verifyTagRef({ name: `refs/tags/${name}`, id }, opened, bench.verifier, NOW),
  );
  return { verdict: found.reason ?? found.kind, ran: { git } };
}

export const MAKERS: Readonly<Record<string, Maker>> = { ...COMMIT_BYTES, ...OPENPGP, ...SSH, ...LISTS, ...HISTORY };
