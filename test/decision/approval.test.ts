import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ApprovalRule,
  type ApprovalSubject,
  changeDigest,
  coAuthors,
  couldCount,
  countApprovals,
  excludedPersons,
  missingApprovals,
  type VerifiedApproval,
} from "../../src/decision/approval.ts";
import { APPROVAL_LIFETIME_MS, type ApprovalStatement } from "../../src/decision/envelope.ts";
import { type BlobId, blobId, type PathChange } from "../../src/git/object.ts";
import { codeEntry, isCode } from "../../src/lib/codes.ts";
import { formatTime } from "../../src/lib/time.ts";
import type { Signer } from "../../src/signature/verification.ts";
import { trustOf } from "../support/signing.ts";
import { BASE, given, HEAD, NOW, TREE } from "./evidence.ts";

const RULE: ApprovalRule = { count: 1, roles: [], accept: ["signed"], bind: "tree" };
const DIGEST = "1".repeat(64);
const SUBJECT: ApprovalSubject = {
  repository: "shop",
  target: "prod",
  tree: TREE,
  changeDigest: DIGEST,
  excluded: new Set(["ada"]),
  at: NOW,
};
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

function statement(change: Partial<ApprovalStatement> = {}): ApprovalStatement {
  return {
    repository: "shop",
    target: "prod",
    base: BASE,
    head: HEAD,
    tree: TREE,
    changeDigest: DIGEST,
    judge: BASE,
    approver: "lin",
    expiresAt: formatTime(NOW + 1000),
    ...change,
  };
}

function approval(
  change: Partial<ApprovalStatement> = {},
  signer: Partial<Signer> = {},
  envelope = "e".repeat(64),
): VerifiedApproval {
  const lin: Signer = { person: "lin", class: "person", key: "SHA256:lin", roles: ["platform"], hardware: null };
  return { statement: statement(change), signer: { ...lin, ...signer }, envelope, certification: null };
}

/** The code with which it does not count, or "counts". */
function outcome(one: VerifiedApproval, rule: Partial<ApprovalRule> = {}, subject: Partial<ApprovalSubject> = {}) {
  const { given: counted, ignored } = countApprovals([one], { ...RULE, ...rule }, { ...SUBJECT, ...subject });
  assert.equal(counted.length + ignored.length, 1);
  const [why] = ignored;
  if (why === undefined) return "counts";
  assert.ok(isCode(why.code) && codeEntry(why.code).class === "refused");
  assert.deepEqual([why.person, why.envelope], [one.signer.person, one.envelope]);
  return why.code;
}

test("another person's approval of this content counts, with who, which key and which envelope", () => {
  const { given: counted } = countApprovals([approval()], RULE, SUBJECT);
  const at = formatTime(NOW);
  const [person, key, envelope] = ["lin", "SHA256:lin", "e".repeat(64)];
  const expiresAt = formatTime(NOW + 1000);
  assert.deepEqual(counted, [{ person, roles: ["platform"], at, via: "signature", key, envelope, expiresAt }]);
});

const REFUSALS: readonly (readonly [string, string, string])[] = [
  ["a robot never approves", outcome(approval({}, { class: "robot" })), "approval-not-a-person"],
  ["a forge never approves", outcome(approval({}, { class: "forge" })), "approval-not-a-person"],
  [
    "a target that takes approvals on a forge only refuses signed ones",
    outcome(approval(), { accept: ["forge"] }),
    "approval-kind-not-accepted",
  ],
  ["nobody approves in another's name", outcome(approval({ approver: "jo" })), "approval-other-approver"],
  ["an approval of a fork is none", outcome(approval({ repository: "shop-fork" })), "approval-other-repository"],
  ["an approval of staging is none for prod", outcome(approval({ target: "staging" })), "approval-other-target"],
  ["an approval of another tree is none", outcome(approval({ tree: BASE })), "approval-other-content"],
  ["an expired approval is none", outcome(approval({ expiresAt: formatTime(NOW - 1) })), "approval-expired"],
  ["an approval ends at its very instant", outcome(approval({ expiresAt: formatTime(NOW) })), "approval-expired"],
  ["a time that is none is expired", outcome(approval({ expiresAt: "2026-11-31T00:00:00Z" })), "approval-expired"],
  ["an approval for ever is none", outcome(approval({ expiresAt: "2099-01-01T00:00:00Z" })), "approval-too-long"],
  [
    "nobody approves a change they had a hand in",
    outcome(approval({ approver: "ada" }, { person: "ada" })),
    "approval-by-author",
  ],
];

for (const [name, found, expected] of REFUSALS) test(name, () => assert.equal(found, expected));

test("an approval counts up to its last millisecond and for seven days, with ten minutes for clocks that differ", () => {
  assert.equal(outcome(approval({ expiresAt: formatTime(NOW + 1) })), "counts");
  const longest = NOW + APPROVAL_LIFETIME_MS + CLOCK_TOLERANCE_MS;
  assert.equal(outcome(approval({ expiresAt: formatTime(longest) })), "counts");
  assert.equal(outcome(approval({ expiresAt: formatTime(longest + 1) })), "approval-too-long");
});

test("bound to the tree an approval survives another base and head; bound to the change it survives another tree", () => {
  const resigned = approval({ base: HEAD, head: BASE, judge: HEAD, changeDigest: "2".repeat(64) });
  assert.equal(outcome(resigned), "counts");
  assert.equal(outcome(resigned, { bind: "change" }), "approval-other-content");
  assert.equal(outcome(approval({ tree: BASE }), { bind: "change" }), "counts");
});

test("a person counts once, whatever they sign with", () => {
  const twice = [approval({}, { key: "SHA256:one" }, "1"), approval({}, { key: "SHA256:two" }, "2")];
  assert.deepEqual(
    countApprovals(twice, RULE, SUBJECT).given.map((one) => one.key),
    ["SHA256:one"],
  );
});

test("what counts is sorted by person and what does not by envelope", () => {
  const people = ["max", "jo", "lin"].map((person) => approval({ approver: person }, { person }));
  const wrong = ["c", "a", "b"].map((envelope) => approval({ target: "x" }, {}, envelope));
  const { given: counted, ignored } = countApprovals([...people, ...wrong], RULE, SUBJECT);
  assert.deepEqual(
    [counted.map((one) => one.person), ignored.map((one) => one.envelope)],
    [
      ["jo", "lin", "max"],
      ["a", "b", "c"],
    ],
  );
});

test("everybody named in the range is excluded: author, committer, signer and co-authors, in any case of letters", async () => {
  const trust = await trustOf({
    people: {
      ada: { email: ["ada@example.com"], keys: [] },
      lin: { email: ["lin@example.com", "lin@home.example"], keys: [] },
      jo: { email: ["jo@example.com"], keys: [] },
      max: { email: ["max@example.com"], keys: [] },
    },
  });
  const message = "web\n\nCo-authored-by: Lin <LIN@home.example>\n  co-AUTHORED-by: Jo <jo@example.com>\n";
  const signer: Signer = { person: "robot-1", class: "robot", key: "", roles: [], hardware: null };
  const excluded = excludedPersons(["Ada@Example.com", ...coAuthors(message)], [signer], trust);
  assert.deepEqual([...excluded].sort(), ["ada", "jo", "lin", "robot-1"]);
});

test("co-authors are found on every line, also in the middle of a message and after a carriage return", () => {
  assert.deepEqual(coAuthors("a\r\nCo-Authored-By: X <x@example.com>\r\n\r\nmore\n"), ["x@example.com"]);
  assert.deepEqual(coAuthors("no Co-authored-by: X <x@example.com>"), []);
  assert.deepEqual(coAuthors("Co-authored-by: nobody\n<y@example.com>"), []);
});

test("what is still missing is said in people and roles", () => {
  const rule = (count: number, ...roles: string[]): ApprovalRule => ({ ...RULE, count, roles });
  assert.deepEqual(missingApprovals(rule(0), []), []);
  assert.deepEqual(missingApprovals(rule(1), []), ["one more person"]);
  assert.deepEqual(missingApprovals(rule(3), [given("lin")]), ["2 more people"]);
  assert.deepEqual(missingApprovals(rule(2, "platform"), []), ["one of platform", "one more person"]);
  assert.deepEqual(missingApprovals(rule(2, "platform"), [given("jo")]), ["one of platform"]);
  assert.deepEqual(missingApprovals(rule(1, "platform"), [given("jo")]), ["one of platform"]);
  assert.deepEqual(missingApprovals(rule(2, "a", "b"), [given("jo", "a", "b")]), ["one more person"]);
  assert.deepEqual(missingApprovals(rule(2), [given("jo"), given("jo")]), ["one more person"]);
  assert.deepEqual(missingApprovals(rule(2, "a"), [given("jo", "a"), given("lin")]), []);
});

test("the digest of a change does not depend on the order of its paths, and on everything else", () => {
  const path = (name: string, change: Partial<PathChange> = {}): PathChange => ({
    path: name,
    oldMode: null,
    oldBlob: null,
    newMode: "100644",
    newBlob: blobId("1".repeat(40)),
    ...change,
  });
  const one = changeDigest([path("a"), path("b")]);
  assert.equal(changeDigest([path("b"), path("a")]), one);
  const others = [
    [path("a")],
    [path("a"), path("c")],
    [path("a"), path("b", { newMode: "100755" })],
    [path("a"), path("b", { newBlob: blobId("2".repeat(40)) as BlobId })],
    [path("a"), path("b", { oldMode: "100644", oldBlob: blobId("1".repeat(40)) })],
  ];
  assert.equal(new Set([one, ...others.map((list) => changeDigest(list))]).size, others.length + 1);
});

test("only what names this content, this place and a day to come could count", () => {
  const could = (change: Partial<ApprovalStatement>, bind: ApprovalRule["bind"] = "tree") =>
    couldCount(statement(change), { ...RULE, bind }, SUBJECT);
  assert.deepEqual([could({}), could({}, "change")], [true, true]);
  for (const change of [
    { repository: "fork" },
    { target: "staging" },
    { expiresAt: formatTime(NOW) },
    { tree: BASE },
  ]) {
    assert.equal(could(change), false, Object.keys(change)[0]);
  }
  assert.deepEqual([could({ tree: BASE }, "change"), could({ changeDigest: "2".repeat(64) }, "change")], [true, false]);
});
