/**
 * Commits that git would not make, and odd ones that it does, in one signed history: each gets its own reason, none ends
 * the range, and both object formats say the same.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Commit } from "../../src/git/object.ts";
import type { GitRepository } from "../../src/git/repository.ts";
import { applySignatureRule, DEFAULT_SIGNATURE_RULE } from "../../src/signature/requirement.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { preview } from "../support/preview.ts";
import { repository, type TestRepository } from "../support/repository.ts";
import { GpgHome, NOW, type SshKeyPair, sshKeyPair, sshSign, trustOf } from "../support/signing.ts";
import { tempFolder } from "../support/temp.ts";

const WHO = "Ada <ada@example.com> 1793491200 +0000";

interface Freak {
  readonly name: string;
  /** null: it verifies. */
  readonly reason: string | null;
  readonly header?: (header: string) => string;
  readonly message?: string;
  /** What is done to the signed object. */
  readonly after?: (raw: string, ours: string) => string;
}

const FREAKS: readonly Freak[] = [
  { name: "an ordinary commit", reason: null },
  {
    name: "an encoding header and Latin-1",
    reason: null,
    header: (h) => `${h}encoding ISO-8859-1\n`,
    message: "Gr\xfc\xdfe\n",
  },
  { name: "no final newline", reason: null, message: "no newline at the end" },
  { name: "an empty message", reason: null, message: "" },
  { name: "CRLF", reason: null, message: "title\r\n\r\nbody\r\n" },
  { name: "a header of another tool", reason: null, header: (h) => `${h}HG:extra source\n` },
  { name: "a name that is not UTF-8", reason: null, header: (h) => h.replaceAll("Ada", "\xc4da") },
  { name: "an empty name", reason: null, header: (h) => h.replaceAll("Ada <", "<") },
  { name: "control characters in a name", reason: null, header: (h) => h.replaceAll("Ada", "A\u001b[2J\u0008da") },
  { name: "NUL in the message", reason: "malformed-commit", message: "safe\0evil\n" },
  { name: "NUL in a name", reason: "malformed-commit", header: (h) => h.replace("Ada", "A\0da") },
  { name: "two trees", reason: "malformed-commit", header: (h) => `${h}tree TREE\n` },
  {
    name: "two authors",
    reason: "malformed-commit",
    header: (h) => h.replace("committer", `author ${WHO}\ncommitter`),
  },
  { name: "two encodings", reason: "malformed-commit", header: (h) => `${h}encoding a\nencoding b\n` },
  { name: "no author", reason: "malformed-commit", header: (h) => h.replace(/author .*\n/, "") },
  {
    name: "an author without address",
    reason: "malformed-commit",
    header: (h) => h.replace("<ada@example.com>", "ada"),
  },
  {
    name: "an author with two addresses",
    reason: "malformed-commit",
    header: (h) => h.replace("<ada", "<ceo@example.com> <ada"),
  },
  { name: "a date that is none", reason: "malformed-commit", header: (h) => h.replace("1793491200", "soon") },
  {
    name: "a continued author",
    reason: "malformed-commit",
    header: (h) => h.replace("+0000\ncommitter", "+0000\n x\ncommitter"),
  },
  {
    name: "the signature of the other hash",
    reason: "malformed-commit",
    after: (raw, ours) => raw.replace(`${ours} `, ours === "gpgsig" ? "gpgsig-sha256 " : "gpgsig "),
  },
  {
    name: "signatures of both hashes",
    reason: "ambiguous-signature",
    after: (raw, ours) => raw.replace(`${ours} `, `${ours === "gpgsig" ? "gpgsig-sha256" : "gpgsig"} x\n${ours} `),
  },
  {
    name: "a header that git drops from the payload",
    reason: "ambiguous-signature",
    after: (raw, ours) => raw.replace(`${ours} `, `gpgsigX x\n${ours} `),
  },
  {
    name: "a header after the signature",
    reason: "malformed-commit",
    after: (raw) => raw.replace("-----END SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\nx y\n"),
  },
  {
    name: "text before the armour",
    reason: "malformed-signature",
    after: (raw) => raw.replace("-----BEGIN", "12 -----BEGIN"),
  },
  {
    name: "text after the armour",
    reason: "malformed-signature",
    after: (raw) => raw.replace("-----END SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n x\n"),
  },
  {
    name: "an OpenTimestamps block after the armour",
    reason: "malformed-signature",
    after: (raw) =>
      raw.replace(
        "-----END SSH SIGNATURE-----\n",
        "-----END SSH SIGNATURE-----\n -----BEGIN OPENTIMESTAMPS-----\n AA==\n -----END OPENTIMESTAMPS-----\n",
      ),
  },
  { name: "the message changed", reason: "bad-signature", after: (raw) => raw.replace("plain", "other") },
  {
    name: "no signature",
    reason: "unsigned-commit",
    after: (raw, ours) => raw.replace(new RegExp(`${ours} .*\\n(?: .*\\n)*`), ""),
  },
];

interface Scene {
  readonly repo: TestRepository;
  readonly key: SshKeyPair;
  readonly trust: Trust;
}

async function scene(t: TestContext, objectFormat: "sha1" | "sha256"): Promise<Scene> {
  const key = sshKeyPair(tempFolder(t), "ada");
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [key.line] } } });
  return { repo: await repository(t, { objectFormat }), key, trust };
}

for (const objectFormat of ["sha1", "sha256"] as const) {
  test(`each freak of a ${objectFormat} history has its own reason, and the range goes on`, async (t) => {
    const { repo, key, trust } = await scene(t, objectFormat);
    const tree = repo.git(["mktree"], { input: "" });
    const ours = objectFormat === "sha1" ? "gpgsig" : "gpgsig-sha256";
    let parent = "";
    const ids: string[] = [];
    for (const { header, message = "plain\n", after } of FREAKS) {
      const plain = `tree ${tree}\n${parent}author ${WHO}\ncommitter ${WHO}\n`;
      const headers = (header?.(plain) ?? plain).replace("TREE", tree);
      const signature = sshSign(key, Buffer.from(`${headers}\n${message}`, "latin1")).toString("latin1");
      const folded = signature.trimEnd().replaceAll("\n", "\n ");
      const raw = `${headers}${ours} ${folded}\n\n${message}`;
      const id = repo.object("commit", Buffer.from(after?.(raw, ours) ?? raw, "latin1"));
      ids.push(id);
      parent = `parent ${id}\n`;
    }
    repo.git(["update-ref", "refs/heads/main", ids.at(-1) ?? ""]);
    const opened = await preview(t, repo.path);
    const commits = await opened.range([], await opened.resolve("main"));
    assert.deepEqual(
      commits.map((one) => one.id),
      ids,
    );
    const verifier = await openVerifier(trust, objectFormat);
    for (const [index, commit] of commits.entries()) {
      const found = await verifier.verify(commit, NOW);
      const expected = FREAKS[index];
      assert.equal(
        found.kind === "verified" ? null : found.reason,
        expected?.reason,
        `${expected?.name}: ${JSON.stringify(found)}`,
      );
    }
  });

  test(`verifies what git makes in a ${objectFormat} repository, by SSH and gpg, commits and tags, with a merge`, async (t) => {
    const { repo, key } = await scene(t, objectFormat);
    const gpg = new GpgHome(t);
    const pgp = gpg.key("Ada <ada@example.com>", "ed25519");
    const people = { people: { ada: { email: ["ada@example.com"], keys: [key.line, "ada.asc"] } } };
    const trust = await trustOf(people, { "ada.asc": gpg.export(pgp) });
    repo.commit({ files: { a: "1" }, signWith: key.path });
    repo.branch("side");
    repo.write({ b: "1" });
    repo.git(["add", "b"]);
    repo.git(["-c", `user.signingkey=${pgp}`, "commit", "-q", "-S", "-m", "by gpg"], { env: gpg.env });
    repo.checkout("main");
    repo.commit({ files: { c: "1" }, signWith: key.path });
    repo.merge("side", { signWith: key.path });
    const opened = await preview(t, repo.path);
    const head = await opened.resolve("main");
    const commits = await opened.range([], head);
    const verifier = await openVerifier(trust, objectFormat);
    const verifications = await Promise.all(commits.map((one) => verifier.verify(one, NOW)));
    const merges = commits.filter((one) => one.parents.length === 2);
    const remerges = new Map(
      await Promise.all(merges.map(async (one) => [one.id, equality(one, await opened.remerge(one))] as const)),
    );
    const ruled = applySignatureRule({
      commits,
      verifications,
      rule: DEFAULT_SIGNATURE_RULE,
      trust,
      head,
      remerges,
      carried: new Set(),
    });
    assert.deepEqual(
      ruled.verifications.map((one) => one.kind),
      Array(4).fill("verified"),
    );
    assert.deepEqual(ruled.verifications.map((one) => one.format).sort(), ["openpgp", "ssh", "ssh", "ssh"]);
    assert.equal(ruled.isSatisfied, true);
  });
}

function equality(commit: Commit, merge: Awaited<ReturnType<GitRepository["remerge"]>>): "equal" | "differs" {
  return merge?.kind === "merged" && merge.tree === commit.tree ? "equal" : "differs";
}
