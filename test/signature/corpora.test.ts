/**
 * Thousands of real signatures against gpg's opinion about them. Every disagreement belongs to a class with a name and a
 * reason; an unexplained one fails the test, and so does a class whose size changes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type Commit, commitId } from "../../src/git/object.ts";
import { hashObject, parseCommit } from "../../src/git/parse.ts";
import { readAllowedSigners, readKeyring } from "../../src/signature/allowed-signers.ts";
import { splitCommit } from "../../src/signature/commit-payload.ts";
import { keyInSignature } from "../../src/signature/formats/ssh.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { GpgHome } from "../support/signing.ts";
import { tempFolder } from "../support/temp.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WHOLE = join(ROOT, "../shared/corpora");
const PART = join(ROOT, "test/fixtures/corpora");
const isWhole = existsSync(join(WHOLE, "guix-sigs"));
const CORPORA = isWhole ? WHOLE : PART;
const USED = isWhole ? "the whole corpus" : "the part under test/fixtures";

/** When gpg was asked: it judges expiry by the date of its run. */
const GPG_RAN = Date.parse("2026-11-20T00:00:00Z");
/** Its only self-signature ends on 2024-01-16. */
const OLD_WEB_FLOW = "5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23";
/** Stands on one line with the end of the block before it in keys.asc, so that gpg never imported it. */
const GLUED = "E9F76FD7F0B66653A7D893990E3908F364989888";

interface Opinion {
  readonly letter: string;
  readonly primary: string;
}

function readCommits(root: string, corpus = "guix-sigs"): readonly Commit[] {
  const lines = gunzipSync(readFileSync(join(root, corpus, "commits.ndjson.gz")))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const { id, raw } = JSON.parse(line) as { id: string; raw: string };
    const bytes = new Uint8Array(Buffer.from(raw, "base64"));
    assert.equal(hashObject("sha1", "commit", bytes), id);
    return parseCommit(commitId(id), bytes, "sha1");
  });
}

function readOpinions(root: string, corpus = "guix-sigs"): ReadonlyMap<string, Opinion> {
  const lines = readFileSync(join(root, corpus, "gpg.tsv"), "utf8")
    .trim()
    .split("\n");
  return new Map(
    lines.map((line) => {
      const [id = "", letter = "", , primary = ""] = line.split("\t");
      return [id, { letter, primary }];
    }),
  );
}

function keyring(root: string): Buffer {
  return Buffer.concat([readFileSync(join(root, "guix-sigs/keys.asc")), readFileSync(join(root, "web-flow.asc"))]);
}

/** The name of the agreement or of the explained difference; null where there is no explanation. */
function classify(found: Verification, opinion: Opinion | undefined, commit: Commit): string | null {
  const { letter, primary } = opinion ?? { letter: "", primary: "" };
  const key = found.signer?.key ?? "";
  if (found.kind === "verified") {
    if (letter === "U" && key === primary) return "agree: valid";
    return letter === "E" && key === GLUED ? "differ: gpg missed the glued key block" : null;
  }
  const isTimestamped = Buffer.from(commit.raw).includes("\n -----BEGIN OPENTIMESTAMPS");
  switch (found.reason) {
    case "unknown-signer":
      if (letter === "E") return "agree: no such key";
      return found.format === "ssh" ? "not asked: SSH, its key is in no keyring" : null;
    case "key-expired":
    case "time-not-proven":
      if (letter === "Y" && key === primary) return "agree: the key has expired";
      return key === OLD_WEB_FLOW && key === primary ? "differ: web-flow's first key has expired" : null;
    case "malformed-signature":
      return isTimestamped ? "differ: OpenTimestamps block after the signature" : null;
    default:
      return null;
  }
}

const EXPECTED: Readonly<Record<string, { readonly whole: number; readonly part: number }>> = {
  "agree: valid": { whole: 2631, part: 60 },
  "agree: the key has expired": { whole: 414, part: 23 },
  "agree: no such key": { whole: 24, part: 7 },
  "differ: web-flow's first key has expired": { whole: 930, part: 20 },
  "differ: OpenTimestamps block after the signature": { whole: 63, part: 29 },
  "differ: gpg missed the glued key block": { whole: 14, part: 13 },
  "not asked: SSH, its key is in no keyring": { whole: 4, part: 4 },
};

type Size = "whole" | "part";

for (const { name, root, size } of [
  { name: USED, root: CORPORA, size: (isWhole ? "whole" : "part") as Size },
  ...(isWhole ? [{ name: "the part under test/fixtures", root: PART, size: "part" as Size }] : []),
] satisfies readonly { name: string; root: string; size: Size }[]) {
  test(`agrees with gpg on guix.sigs, or differs for a known reason (${name})`, async (t) => {
    const verifier = await openVerifier(await readKeyring(keyring(root)), "sha1");
    const opinions = readOpinions(root);
    const counts = new Map<string, number>();
    for (const commit of readCommits(root)) {
      const found = await verifier.verify(commit, { instant: GPG_RAN, basis: "now" });
      const kind = classify(found, opinions.get(commit.id), commit);
      assert.notEqual(kind, null, `unexplained: ${JSON.stringify({ found, opinion: opinions.get(commit.id) })}`);
      counts.set(kind ?? "", (counts.get(kind ?? "") ?? 0) + 1);
    }
    t.diagnostic(`${name}: ${JSON.stringify(Object.fromEntries(counts))}`);
    const expected = Object.fromEntries(Object.entries(EXPECTED).map(([kind, sizes]) => [kind, sizes[size]]));
    assert.deepEqual(Object.fromEntries(counts), expected);
  });
}

test(`judged when they were committed, no later expiry breaks history (${USED})`, async () => {
  const verifier = await openVerifier(await readKeyring(keyring(CORPORA)), "sha1");
  const reasons = new Map<string, number>();
  for (const commit of readCommits(CORPORA)) {
    const found = await verifier.verify(commit, { instant: commit.committer.seconds * 1000, basis: "receipt" });
    const outcome = found.kind === "verified" ? "verified" : found.reason;
    reasons.set(outcome, (reasons.get(outcome) ?? 0) + 1);
  }
  assert.equal(reasons.get("key-expired"), undefined);
  assert.equal(reasons.get("time-not-proven"), undefined);
  assert.equal(reasons.get("bad-signature"), undefined);
});

test("gpg itself takes the side of each explained difference", (t) => {
  const gpg = new GpgHome(t);
  const separated = keyring(PART).toString("latin1").replaceAll("----------BEGIN", "-----\n-----BEGIN");
  gpg.gpg(["--import"], separated);
  const bySigner = (fingerprint: string): readonly string[] => {
    const commit = readCommits(PART).find((one) => statusNames(gpg, one, fingerprint));
    assert.ok(commit, fingerprint);
    const split = splitCommit(commit.raw, "sha1");
    assert.ok(split.kind === "signed");
    return gpg.statusOf(split.signature, split.payload);
  };
  assert.ok(bySigner(GLUED).includes("VALIDSIG"));
  assert.ok(bySigner(OLD_WEB_FLOW).includes("EXPKEYSIG"));
});

/** True where the armoured signature names the key; cheap enough to look for one commit. */
function statusNames(gpg: GpgHome, commit: Commit, fingerprint: string): boolean {
  const split = splitCommit(commit.raw, "sha1");
  if (split.kind !== "signed" || split.format !== "openpgp") return false;
  const packets = gpg.gpg(["--list-packets"], split.signature).toString("utf8");
  return packets.includes(`keyid ${fingerprint.slice(-16)}`);
}

test("ssh-keygen finds the SSH signatures of the corpus to be sound too", (t) => {
  const folder = tempFolder(t);
  const signed = readCommits(CORPORA)
    .map((commit) => splitCommit(commit.raw, "sha1"))
    .filter((split) => split.kind === "signed" && split.format === "ssh");
  assert.equal(signed.length, 4);
  for (const split of signed) {
    assert.ok(split.kind === "signed");
    const file = join(folder, "signature");
    writeFileSync(file, split.signature);
    const answer = spawnSync("ssh-keygen", ["-Y", "check-novalidate", "-n", "git", "-s", file], {
      input: split.payload,
    });
    assert.equal(answer.status, 0);
  }
});

/** The part under test/fixtures has the X.509 commits of this corpus alone: see x509-corpora.heavy.test.ts. */
if (isWhole) {
  test("agrees with gpg about the OpenPGP commits of gitsign, or differs for a known reason", async () => {
    const verifier = await openVerifier(await readKeyring(readFileSync(join(WHOLE, "web-flow.asc"))), "sha1");
    const opinions = readOpinions(WHOLE, "gitsign");
    const counts = new Map<string, number>();
    for (const commit of readCommits(WHOLE, "gitsign")) {
      const opinion = opinions.get(commit.id);
      if (opinion === undefined) continue;
      const found = await verifier.verify(commit, { instant: GPG_RAN, basis: "now" });
      const kind = classify(found, opinion, commit);
      assert.notEqual(kind, null, `unexplained: ${JSON.stringify({ found, opinion })}`);
      counts.set(kind ?? "", (counts.get(kind ?? "") ?? 0) + 1);
      const then = { instant: commit.committer.seconds * 1000, basis: "receipt" } as const;
      assert.equal((await verifier.verify(commit, then)).kind === "verified", opinion.letter === "U", commit.id);
    }
    assert.deepEqual(Object.fromEntries(counts), {
      "agree: valid": 621,
      "agree: no such key": 31,
      "differ: web-flow's first key has expired": 590,
    });
  });

  test("finds the SSH signatures of gitsign sound, as ssh-keygen does for every twentieth of them", async (t) => {
    const folder = tempFolder(t);
    const file = join(folder, "signature");
    const signed = readCommits(WHOLE, "gitsign").flatMap((commit) => {
      const split = splitCommit(commit.raw, "sha1");
      return split.kind === "signed" && split.format === "ssh" ? [{ commit, split }] : [];
    });
    assert.equal(signed.length, 656);
    const lines = signed.map(({ split }) => keyInSignature(split.signature));
    const known = new Map(lines.flatMap((key) => (key === null ? [] : [[key.fingerprint, key]])));
    const listed = [...known.values()].map((key) => `ada ${key.type} ${Buffer.from(key.blob).toString("base64")}`);
    const verifier = await openVerifier(readAllowedSigners(listed.join("\n"), "signers"), "sha1");
    for (const [index, { commit, split }] of signed.entries()) {
      const found = await verifier.verify(commit, { instant: GPG_RAN, basis: "now" });
      assert.equal(found.kind, "verified", JSON.stringify(found));
      if (index % 20 !== 0) continue;
      writeFileSync(file, split.signature);
      const args = ["-Y", "check-novalidate", "-n", "git", "-s", file];
      assert.equal(spawnSync("ssh-keygen", args, { input: split.payload }).status, 0, commit.id);
    }
  });
}
