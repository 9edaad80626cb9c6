import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { commitId } from "../../src/git/object.ts";
import { hashObject, parseCommit, parseTag, parseTree } from "../../src/git/parse.ts";
import { checkedVersion } from "../../src/git/process.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import { splitCommit } from "../../src/signature/commit-payload.ts";

const ID = commitId("1".repeat(40));
const TREE = "a".repeat(40);
const PARENT = "b".repeat(40);
const ADA = "Ada <ada@example.com> 1793491200 +0100";

function commitText(lines: readonly string[], message = "hello\n"): Uint8Array {
  return utf8(`${lines.join("\n")}\n\n${message}`);
}

function entry(mode: string, name: string | Uint8Array, id = PARENT): Buffer {
  return Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, "hex")]);
}

function parsedTree(...entries: readonly Buffer[]) {
  return parseTree(TREE, Buffer.concat(entries), "sha1");
}

test("an id is the hash of type, size and body", () => {
  const expected = createHash("sha1").update("blob 5\0hello").digest("hex");
  assert.equal(hashObject("sha1", "blob", utf8("hello")), expected);
  assert.equal(hashObject("sha1", "blob", utf8("")), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
});

test("reads a commit with parents, people, further headers and a message", () => {
  const raw = commitText(
    [
      `tree ${TREE}`,
      `parent ${PARENT}`,
      `parent ${TREE}`,
      `author ${ADA}`,
      `committer ${ADA}`,
      "gpgsig a",
      " b",
      "encoding x",
    ],
    "subject\n\nbody\n",
  );
  const commit = parseCommit(ID, raw, "sha1");
  assert.equal(commit.tree, TREE);
  assert.deepEqual(commit.parents, [PARENT, TREE]);
  assert.deepEqual(commit.author, { name: "Ada", email: "ada@example.com", seconds: 1_793_491_200 });
  assert.equal(commit.message, "subject\n\nbody\n");
  assert.equal(commit.raw, raw);
});

test("a message that is not UTF-8 is shown with replacement characters and raw stays", () => {
  const raw = Buffer.concat([
    commitText([`tree ${TREE}`, `author ${ADA}`, `committer ${ADA}`], ""),
    Buffer.from([0xff]),
  ]);
  const commit = parseCommit(ID, raw, "sha1");
  assert.equal(commit.message, "\ufffd");
  assert.equal(commit.raw.at(-1), 0xff);
});

const MALFORMED_COMMITS: Record<string, readonly string[]> = {
  "no tree": [`author ${ADA}`, `committer ${ADA}`],
  "a tree id that is too short": ["tree abc", `author ${ADA}`, `committer ${ADA}`],
  "a sha256 id in a sha1 repository": [`tree ${"a".repeat(64)}`, `author ${ADA}`, `committer ${ADA}`],
  "a parent that is no id": [`tree ${TREE}`, "parent HEAD", `author ${ADA}`, `committer ${ADA}`],
  "65 parents": [`tree ${TREE}`, ...Array(65).fill(`parent ${PARENT}`), `author ${ADA}`, `committer ${ADA}`],
};

for (const [what, lines] of Object.entries(MALFORMED_COMMITS)) {
  test(`refuses a commit with ${what}`, () => {
    assert.throws(() => parseCommit(ID, commitText(lines), "sha1"), { code: "object-malformed" });
  });
}

/** Their verification says malformed-commit; here only tree and parents must be known. */
const ODD_COMMITS: Record<string, readonly string[]> = {
  "no author": [`tree ${TREE}`, `committer ${ADA}`],
  "no committer": [`tree ${TREE}`, `author ${ADA}`],
  "two authors": [`tree ${TREE}`, `author ${ADA}`, `author ${ADA}`, `committer ${ADA}`],
  "a parent after the author": [`tree ${TREE}`, `author ${ADA}`, `parent ${PARENT}`, `committer ${ADA}`],
  "a second tree at the end": [`tree ${TREE}`, `author ${ADA}`, `committer ${ADA}`, `tree ${PARENT}`],
  "a second committer at the end": [`tree ${TREE}`, `author ${ADA}`, `committer ${ADA}`, `committer ${ADA}`],
  "two mail addresses": [`tree ${TREE}`, `author Ada <ada@x> <eve@x> 1 +0000`, `committer ${ADA}`],
  "a date that is no number": [`tree ${TREE}`, "author Ada <ada@x> soon +0000", `committer ${ADA}`],
  "a NUL in the header": [`tree ${TREE}`, `author ${ADA}`, `committer ${ADA}`, "x a\0b"],
};

for (const [what, lines] of Object.entries(ODD_COMMITS)) {
  test(`reads tree and parents of a commit with ${what}, which is rejected by itself`, () => {
    const raw = commitText(lines);
    const commit = parseCommit(ID, raw, "sha1");
    assert.deepEqual([commit.tree, commit.parents], [TREE, []]);
    const split = splitCommit(raw, "sha1");
    assert.equal(split.kind === "refused" && split.reason, "malformed-commit");
  });
}

test("a person whose line git does not write is nobody", () => {
  for (const who of ["Ada <ada@x> <eve@x> 1 +0000", "Ada ada@x 1 +0000", "Ada <ada@x> soon +0000", "<ada@x>"]) {
    const commit = parseCommit(ID, commitText([`tree ${TREE}`, `author ${who}`, `committer ${ADA}`]), "sha1");
    assert.deepEqual([commit.author.email, commit.committer.email], ["", "ada@example.com"], who);
  }
});

test("reads the target of a tag and refuses a tag without a known type", () => {
  const tag = utf8(`object ${PARENT}\ntype commit\ntag v1\ntagger ${ADA}\n\nhello\n`);
  assert.deepEqual(parseTag(ID, tag, "sha1"), { id: PARENT, type: "commit" });
  assert.throws(() => parseTag(ID, utf8(`object ${PARENT}\ntype branch\n\n`), "sha1"), { code: "object-malformed" });
});

test("reads tree entries, with a file mode of old git as the plain one", () => {
  const entries = parsedTree(
    entry("100664", "a"),
    entry("100755", "b"),
    entry("40000", "c"),
    entry("120000", "d"),
    entry("160000", "e"),
  );
  assert.deepEqual(
    entries.map(({ name, mode }) => `${mode} ${name}`),
    ["100644 a", "100755 b", "040000 c", "120000 d", "160000 e"],
  );
});

test("sorts a folder as if its name ended in a slash, as git does", () => {
  assert.equal(parsedTree(entry("100644", "a.b"), entry("40000", "a"), entry("100644", "a0")).length, 3);
  assert.throws(() => parsedTree(entry("40000", "a"), entry("100644", "a.b")), { code: "object-malformed" });
});

test("refuses trees with duplicate, unsorted, cut or strangely marked entries", () => {
  const cases = {
    duplicate: [entry("100644", "a"), entry("100644", "a")],
    "file and folder of one name": [entry("100644", "a"), entry("100644", "a.b"), entry("40000", "a")],
    unsorted: [entry("100644", "b"), entry("100644", "a")],
    cut: [entry("100644", "a").subarray(0, -1)],
    "no name end": [Buffer.from("100644 abc")],
    "padded mode": [entry("040000", "a")],
    "unknown mode": [entry("100600", "a")],
  };
  for (const [what, entries] of Object.entries(cases)) {
    assert.throws(() => parsedTree(...entries), { code: "object-malformed" }, what);
  }
});

test("refuses names that could leave their folder or mean another file", () => {
  const names = [
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "a\nb",
    "a\u007fb",
    "a\u0085b",
    "a\u202eb",
    ".git",
    ".GIT",
    ".Git",
    ".git.",
    ".git ",
    ".git . ",
    ".git::$INDEX_ALLOCATION",
    "git~1",
    "GIT~1",
    "git~1.",
    ".g\u200cit",
    ".git\u200c",
    "\ufeff.git",
    ".gi\u200dt",
  ];
  for (const name of names)
    assert.throws(() => parsedTree(entry("100644", name)), { code: "path-hostile" }, JSON.stringify(name));
  assert.throws(() => parsedTree(entry("100644", Buffer.from([0x61, 0xff]))), { code: "path-hostile" }, "not UTF-8");
  assert.throws(
    () => parsedTree(entry("100644", Buffer.from([0xc0, 0xaf]))),
    { code: "path-hostile" },
    "overlong slash",
  );
});

test("takes every other name as it is", () => {
  const names = [" a b", ".gitattributes", ".gitignore", "...", "Git~2", "a:b", "git", "größe.yaml", "日本語"];
  const entries = names.map((name) => parsedTree(entry("100644", name))[0]?.name);
  assert.deepEqual(entries, names);
});

test("a hostile name is shown in ASCII only", () => {
  assert.throws(
    () => parsedTree(entry("100644", "a\u001b[2Jb")),
    (error: Error) => /^[\u0020-\u007e]+$/.test(error.message),
  );
});

test("knows which versions of git carry the fixes", () => {
  for (const good of ["2.39.4", "2.39.5 (Apple Git-154)", "2.43.4", "2.45.1", "2.46.0", "2.51.2.windows.1", "3.0.0"]) {
    assert.match(good, new RegExp(`^${checkedVersion(`git version ${good}\n`).replaceAll(".", "\\.")}`));
  }
  for (const old of ["2.39.3", "2.38.9", "2.40.1", "2.45.0", "2.43", "1.9.5", "unknown", ""]) {
    assert.throws(() => checkedVersion(`git version ${old}\n`), { code: "git-too-old" }, old);
  }
});
