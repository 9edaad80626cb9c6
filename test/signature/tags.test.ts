/** Signed tags by real git, beside what `git verify-tag` says of them, and tags that git would not make. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { verifyTagRef } from "../../src/signature/tag-ref.ts";
import { openVerifier, type Verifier } from "../../src/signature/verify.ts";
import { preview } from "../support/preview.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { GpgHome, NOW, type SshKeyPair, sshKeyPair, sshSign, trustOf } from "../support/signing.ts";
import { tempFolder } from "../support/temp.ts";

interface Scene {
  readonly repo: TestRepository;
  readonly ada: SshKeyPair;
  readonly eve: SshKeyPair;
  readonly verifier: Verifier;
}

async function scene(t: TestContext, objectFormat: "sha1" | "sha256" = "sha1"): Promise<Scene> {
  const folder = tempFolder(t);
  const [ada, eve] = [sshKeyPair(folder, "ada"), sshKeyPair(folder, "eve")];
  const repo = await repository(t, { objectFormat });
  repo.commit({ files: { a: "1" } });
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [ada.line] } } });
  return { repo, ada, eve, verifier: await openVerifier(trust, objectFormat) };
}

function signTag(repo: TestRepository, key: SshKeyPair, name: string, at = "HEAD", message = "release"): void {
  repo.git(["-c", "gpg.format=ssh", "-c", `user.signingkey=${key.path}`, "tag", "-s", "-m", message, name, at]);
}

async function judge(t: TestContext, { repo, verifier }: Scene, name: string) {
  const opened = await preview(t, repo.path);
  const [ref] = (await opened.refs("refs/tags/", 100)).filter((one) => one.name === `refs/tags/${name}`);
  assert.ok(ref, name);
  return verifyTagRef(ref, opened, verifier, NOW);
}

/** What `git verify-tag` says, asked with ada's key alone. */
function gitAccepts(repo: TestRepository, ada: SshKeyPair, name: string): boolean {
  const allowed = join(repo.path, ".git", "allowed");
  writeFileSync(allowed, `ada@example.com ${ada.line}\n`);
  const args = ["-c", `gpg.ssh.allowedSignersFile=${allowed}`, "verify-tag", name];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return spawnSync("git", args, { cwd: repo.path, env }).status === 0;
}

for (const objectFormat of ["sha1", "sha256"] as const) {
  test(`verifies tags that git signed with SSH in a ${objectFormat} repository, as git verify-tag does`, async (t) => {
    const set = await scene(t, objectFormat);
    signTag(set.repo, set.ada, "v1.0");
    signTag(set.repo, set.eve, "v1.1");
    const found = await judge(t, set, "v1.0");
    assert.deepEqual([found.kind, found.signer?.person, found.name], ["verified", "ada", "v1.0"], found.detail ?? "");
    assert.deepEqual(found.target, { id: set.repo.head(), type: "commit" });
    assert.equal(found.tag, set.repo.git(["rev-parse", "refs/tags/v1.0"]));
    assert.equal((await judge(t, set, "v1.1")).reason, "unknown-signer");
    assert.deepEqual([gitAccepts(set.repo, set.ada, "v1.0"), gitAccepts(set.repo, set.ada, "v1.1")], [true, false]);
  });
}

test("verifies a tag that git signed with gpg", async (t) => {
  const gpg = new GpgHome(t);
  const key = gpg.key("Ada <ada@example.com>", "rsa2048");
  const repo = await repository(t);
  repo.commit({ files: { a: "1" } });
  repo.git(["-c", `user.signingkey=${key}`, "tag", "-s", "-m", "release", "v1.0"], { env: gpg.env });
  const people = { people: { ada: { email: ["ada@example.com"], keys: ["a.asc"] } } };
  const verifier = await openVerifier(await trustOf(people, { "a.asc": gpg.export(key) }), "sha1");
  const found = await judge(t, { repo, verifier } as Scene, "v1.0");
  assert.deepEqual([found.kind, found.signer?.key, found.format], ["verified", key, "openpgp"]);
});

test("refuses a signed tag under another name, which git verify-tag accepts", async (t) => {
  const set = await scene(t);
  signTag(set.repo, set.ada, "v1.0");
  set.repo.git(["update-ref", "refs/tags/v9.9", "refs/tags/v1.0"]);
  assert.equal(gitAccepts(set.repo, set.ada, "v9.9"), true);
  const found = await judge(t, set, "v9.9");
  assert.deepEqual([found.kind, found.reason, found.signer?.person], ["rejected", "tag-mismatch", "ada"]);
  assert.equal((await judge(t, set, "v1.0")).kind, "verified");
});

test("follows tags of tags to a commit, each of which must verify", async (t) => {
  const set = await scene(t);
  const { repo, ada } = set;
  signTag(repo, ada, "inner");
  signTag(repo, ada, "outer", "refs/tags/inner");
  assert.equal((await judge(t, set, "outer")).kind, "verified");
  repo.git(["tag", "-a", "-m", "nobody signed", "plain"]);
  signTag(repo, ada, "over-plain", "refs/tags/plain");
  assert.equal((await judge(t, set, "over-plain")).reason, "tag-target");
  for (let depth = 0; depth < 6; depth++)
    signTag(repo, ada, `d${depth}`, depth === 0 ? "HEAD" : `refs/tags/d${depth - 1}`);
  assert.deepEqual([(await judge(t, set, "d4")).kind, (await judge(t, set, "d5")).reason], ["verified", "tag-target"]);
});

test("refuses tags of trees and files, unsigned tags and bare names, each with its reason", async (t) => {
  const set = await scene(t);
  const { repo, ada } = set;
  signTag(repo, ada, "tree", "HEAD^{tree}");
  signTag(repo, ada, "file", repo.git(["rev-parse", "HEAD:a"]));
  repo.git(["tag", "-a", "-m", "unsigned", "unsigned"]);
  repo.git(["tag", "light"]);
  for (const [name, reason] of [
    ["tree", "tag-target"],
    ["file", "tag-target"],
    ["unsigned", "unsigned-tag"],
    ["light", "unsigned-tag"],
  ] as const) {
    assert.equal((await judge(t, set, name)).reason, reason, name);
  }
});

test("refuses forms that two readers could split differently", async (t) => {
  const { repo, ada, verifier } = await scene(t);
  const head = repo.head();
  const text = `object ${head}\ntype commit\ntag v1\ntagger Ada <ada@example.com> 1793491200 +0000\n\nrelease\n`;
  const sign = (payload: string): string => sshSign(ada, Buffer.from(payload, "latin1")).toString("latin1");
  const signed = (payload: string): string => payload + sign(payload);
  const cases: readonly [string, string, string | null][] = [
    ["as git writes it", signed(text), null],
    ["without tagger, as very old git wrote it", signed(text.replace(/tagger .*\n/, "")), null],
    ["CRLF in the message", signed(text.replace("release\n", "release\r\n")), null],
    ["an empty message", signed(text.replace("release\n", "")), null],
    ["another object under the signature", text.replace(head, "1".repeat(40)) + sign(text), "bad-signature"],
    ["another name under the signature", text.replace("tag v1", "tag v2") + sign(text), "bad-signature"],
    ["a message changed", text.replace("release", "other") + sign(text), "bad-signature"],
    ["two object headers", signed(text.replace("type", `object ${head}\ntype`)), "malformed-tag"],
    ["two tag headers", signed(text.replace("tagger", "tag v2\ntagger")), "malformed-tag"],
    ["a header that git does not write", signed(text.replace("tagger", "x y\ntagger")), "malformed-tag"],
    ["a NUL byte", signed(text.replace("release", "re\0lease")), "malformed-tag"],
    ["an id of the other hash", signed(text.replace(head, "1".repeat(64))), "malformed-tag"],
    ["no empty line", text.replace("\n\nrelease\n", "\n"), "malformed-tag"],
    ["two signatures", signed(signed(text)), "ambiguous-signature"],
    ["a signature quoted in the message", signed(`${text}-----BEGIN PGP SIGNATURE-----\n`), "ambiguous-signature"],
    [
      "a signature of the other hash in a header",
      signed(text.replace("\n\n", "\ngpgsig-sha256 x\n\n")),
      "ambiguous-signature",
    ],
    ["a block that begins behind a carriage return", signed(`${text.slice(0, -1)}\r`), "unsigned-tag"],
    ["text after the end", `${signed(text)}more\n`, "malformed-signature"],
    ["an inline PGP message", `${text}-----BEGIN PGP MESSAGE-----\n`, "malformed-signature"],
    ["an X.509 block of nothing", `${text}-----BEGIN SIGNED MESSAGE-----\n-----END SIGNED MESSAGE-----\n`, "x509"],
    ["a signature of 70 KB", `${text}-----BEGIN SSH SIGNATURE-----\n${"A".repeat(70_000)}`, "malformed-signature"],
    ["nothing", "", "malformed-tag"],
  ];
  for (const [name, raw, reason] of cases) {
    const found = await verifier.verifyTag(Buffer.from(raw, "latin1"), NOW);
    if (reason === "x509") assert.equal(found.kind, "rejected");
    else assert.equal(found.reason, reason, `${name}: ${JSON.stringify(found)}`);
  }
});

test("a signature over a commit is not one over a tag, nor the other way round", async (t) => {
  const { repo, ada, verifier } = await scene(t);
  signTag(repo, ada, "v1");
  const raw = Buffer.from(`${repo.git(["cat-file", "tag", "v1"])}\n`);
  assert.equal((await verifier.verifyTag(raw, NOW)).kind, "verified");
  for (let bit = 0; bit < raw.indexOf("-----BEGIN") * 8; bit += 3) {
    const changed = Buffer.from(raw);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal((await verifier.verifyTag(changed, NOW)).kind, "rejected", `bit ${bit}`);
  }
});

test("the tags that a merge keeps are facts: verified, of a stranger, or of something that was not merged", async (t) => {
  const set = await scene(t);
  const { repo, ada, eve, verifier } = set;
  const merge = async (key: SshKeyPair, name: string) => {
    repo.branch(`side-${name}`, "HEAD");
    repo.commit({ files: { [name]: "1" } });
    signTag(repo, key, name);
    repo.checkout("main");
    repo.commit({ files: { [`main-${name}`]: "1" } });
    repo.git(["merge", "--quiet", "--no-ff", "-m", "merge", name]);
    const opened = await preview(t, repo.path);
    return opened.commit(repo.head());
  };
  const byAda = await merge(ada, "v1");
  assert.ok(Buffer.from(byAda.raw).includes("\nmergetag object "), "git keeps the tag");
  const [kept, ...more] = await verifier.verifyMergetags(byAda, NOW);
  assert.deepEqual(
    [kept?.kind, kept?.signer?.person, kept?.name, more],
    ["verified", "ada", "v1", []],
    kept?.detail ?? "",
  );
  assert.equal(kept?.tag, repo.git(["rev-parse", "refs/tags/v1"]));
  const [stranger] = await verifier.verifyMergetags(await merge(eve, "v2"), NOW);
  assert.equal(stranger?.reason, "unknown-signer");
  const elsewhere = { ...byAda, parents: byAda.parents.slice(0, 1) };
  assert.equal((await verifier.verifyMergetags(elsewhere, NOW))[0]?.reason, "tag-target");
});
