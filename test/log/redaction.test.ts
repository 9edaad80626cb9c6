/** A redaction: the bytes are gone from every file of the log, and everything that proves it stays. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import type { JsonObject } from "../../src/lib/canonical.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { planRedaction, type RedactionWish } from "../../src/log/redaction/plan.ts";
import { redactionsOf } from "../../src/log/redaction/record.ts";
import { type Redaction, redactLog } from "../../src/log/redaction/redact.ts";
import { holdsSubject } from "../../src/log/redaction/subject.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";

const SECRET = "Xanthippe-Quarterflash";
const BEGIN = Date.parse("2026-10-01T00:00:00Z");
const REQUEST = { by: "sam", reason: "case 12" };
const NOBODY: RedactionWish = { query: {}, entry: null, values: null, subject: null };
const PERSON: RedactionWish = { ...NOBODY, subject: { of: "person", name: SECRET } };
const id = { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" };

/** 0 names the secret in one of three values, 1 in a long one, 2 nowhere, 3 in all it says. */
const DRAFTS: readonly Partial<EntryDraft>[] = [
  {
    disclosed: { persons: [SECRET, "lin"], objects: [{ id }], note: "n" },
    terms: [
      { kind: "person", value: SECRET },
      { kind: "person", value: "lin" },
      { kind: "resource", value: "Deployment/shop/web" },
    ],
  },
  { disclosed: { long: `${"x".repeat(30_000)} ${SECRET} ${"y".repeat(30_000)}`, b: 1 }, terms: [] },
  { target: "staging", disclosed: { persons: ["lin"] }, terms: [{ kind: "person", value: "lin" }] },
  { kind: "hold", verdict: null, disclosed: { by: SECRET }, terms: [{ kind: "person", value: SECRET }] },
];

async function someLog(context: TestContext): Promise<string> {
  const path = logPath(context);
  let now = BEGIN;
  const log = await openTestLog(path, { clock: () => now });
  for (const one of DRAFTS) {
    await log.append(draft(one));
    now += 86_400_000;
  }
  await log.close();
  return path;
}

function redact(path: string, wish: RedactionWish, request = REQUEST, refuse = async () => {}): Promise<Redaction> {
  const options = { store: `sqlite:${path}`, origin: ORIGIN, key: KEY.skey, clock: Date.now, random: randomBytes };
  return redactLog(options, wish, request, refuse);
}

/** Files of the log's folder that hold a text, as it is or in base64, wherever it begins there. */
function filesWith(path: string, text: string): readonly string[] {
  const forms = [Buffer.from(text)];
  for (const shift of [0, 1, 2]) {
    const base64 = Buffer.from(" ".repeat(shift) + text).toString("base64");
    forms.push(Buffer.from(base64.slice(4, -4)));
  }
  return readdirSync(dirname(path)).filter((name) => {
    const bytes = readFileSync(join(dirname(path), name));
    return forms.some((form) => bytes.includes(form));
  });
}

async function reading<T>(path: string, use: (log: DecisionLog) => Promise<T>): Promise<T> {
  const log = await openTestReader(path);
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

/** For each entry, the names of what it no longer says. */
function withheld(path: string): Promise<readonly string[]> {
  return reading(path, async (log) =>
    (await log.find({ order: "oldest" })).map(({ disclosed }) =>
      Object.entries(disclosed)
        .flatMap(([name, one]) => (one === null ? [name] : []))
        .join(" "),
    ),
  );
}

describe("a redaction", () => {
  it("leaves the value, its base64, its salt and its terms in no file of the log", async (context) => {
    const path = await someLog(context);
    const before = await reading(path, (log) => log.find({ order: "oldest" }));
    const salts = [before[0]?.disclosed["persons"], before[1]?.disclosed["long"], before[3]?.disclosed["by"]];
    assert.deepEqual(filesWith(path, SECRET), ["log.db", "log.db.index"]);
    const { erasures, receipt, isPurged } = await redact(path, PERSON);
    assert.deepEqual(
      erasures.map(({ index, names }) => [index, ...names]),
      [
        [0, "persons"],
        [1, "long"],
        [3, "by"],
      ],
    );
    assert.deepEqual([receipt.index, isPurged], [4, true]);
    assert.deepEqual(filesWith(path, SECRET), []);
    for (const one of salts) assert.deepEqual(filesWith(path, one?.salt ?? ""), []);
    assert.deepEqual(await withheld(path), ["persons", "long", "", "by", ""]);
  });

  it("is true also of a log that was killed, with everything in its write-ahead log", async (context) => {
    const running = logPath(context);
    const log = await openTestLog(running);
    for (const one of DRAFTS) await log.append(draft(one));
    const path = logPath(context);
    for (const suffix of ["", "-wal"]) copyFileSync(running + suffix, path + suffix);
    await log.close();
    for (const file of [path, `${path}-wal`]) chmodSync(file, 0o600);
    assert.ok(filesWith(path, SECRET).includes("log.db-wal"));
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM disclosures").get();
    const { isPurged } = await redact(path, PERSON);
    assert.equal(isPurged, false, "a reader keeps the former pages, and it is said");
    assert.notDeepEqual(filesWith(path, SECRET), []);
    reader.close();
    await (await openTestLog(path)).close();
    assert.deepEqual(filesWith(path, SECRET), []);
  });

  it("keeps the tree, earlier checkpoints and proofs, and names itself where something is withheld", async (context) => {
    const path = await someLog(context);
    const known = await reading(path, async (log) => (await log.checkpoint()).note);
    await redact(path, PERSON);
    const verified = await verifyLog(path, { keys: [KEY.vkey], known: [known] });
    assert.ok(verified.kind === "intact", JSON.stringify(verified));
    assert.deepEqual([verified.disclosures, verified.redactions], [{ matching: 9, redacted: 3 }, [4]]);
    await reading(path, async (log) => {
      const [said] = await redactionsOf(log, await log.read(1));
      assert.deepEqual([said?.index, said?.by, said?.reason, said?.names], [4, "sam", "case 12", ["long"]]);
      assert.deepEqual(await redactionsOf(log, await log.read(2)), []);
    });
  });

  it("takes the terms of what is gone out of the search, and leaves the others", async (context) => {
    const path = await someLog(context);
    await redact(path, PERSON);
    const found = (value: string, kind: "person" | "resource" = "person") =>
      reading(path, async (log) =>
        (await log.find({ terms: [{ kind, value }], order: "oldest" })).map((one) => one.index),
      );
    assert.deepEqual(await found(SECRET), []);
    assert.deepEqual(await found("lin"), [2], "it was beside the secret, in the same value");
    assert.deepEqual(await found("Deployment/shop/web", "resource"), [0]);
    await (await openTestLog(path)).close(); // makes the index anew
    assert.deepEqual([await found(SECRET), await found("lin")], [[], [2]]);
    assert.deepEqual(filesWith(path, SECRET), []);
  });

  it("erases by entry, by name of the value, by resource, by text, and only where it is asked to", async (context) => {
    const cases: readonly (readonly [Partial<RedactionWish>, readonly string[]])[] = [
      [{ entry: 0 }, ["note objects persons", "", "", ""]],
      [{ entry: 0, values: ["note"] }, ["note", "", "", ""]],
      [{ values: ["persons"] }, ["persons", "", "persons", ""]],
      [{ values: ["persons"], query: { target: "staging" } }, ["", "", "persons", ""]],
      [{ values: ["persons", "by"], query: { kinds: ["hold"] } }, ["", "", "", "by"]],
      [{ values: ["persons"], query: { from: BEGIN + 86_400_000 } }, ["", "", "persons", ""]],
      [{ subject: { of: "resource", name: "Deployment/shop/web" } }, ["objects", "", "", ""]],
      [{ subject: { of: "text", text: "quarterflash" } }, ["persons", "long", "", "by"]],
      [{ subject: { of: "person", name: "lin" }, query: { target: "prod" } }, ["persons", "", "", ""]],
    ];
    for (const [wish, expected] of cases) {
      const path = await someLog(context);
      await redact(path, { ...NOBODY, ...wish });
      const names = (await withheld(path)).slice(0, 4).map((one) => one.split(" ").sort().join(" ").trim());
      assert.deepEqual(names, expected, JSON.stringify(wish));
    }
  });

  it("never erases what an earlier redaction says, and tells so", async (context) => {
    const path = await someLog(context);
    await redact(path, { ...NOBODY, values: ["note"] });
    const { erasures, kept } = await redact(path, {
      ...NOBODY,
      subject: { of: "person", name: "sam" },
      values: null,
    }).catch(({ code }) => ({ erasures: code, kept: [] }));
    assert.deepEqual([erasures, kept], ["nothing-to-redact", []]);
    const plan = await reading(path, (log) =>
      planRedaction(log, { ...NOBODY, subject: { of: "person", name: "sam" } }),
    );
    assert.deepEqual(plan, { erasures: [], kept: [4] });
  });

  it("is all or nothing, and refused without a name, with the subject in its reason, or while another writes", async (context) => {
    const path = await someLog(context);
    const refused: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["redaction-unnamed", () => redact(path, PERSON, { by: " ", reason: "x" })],
      ["redaction-unnamed", () => redact(path, PERSON, { by: "sam", reason: "" })],
      ["redaction-repeats", () => redact(path, PERSON, { by: "sam", reason: `removes ${SECRET.toLowerCase()}.` })],
      ["nothing-to-redact", () => redact(path, { ...NOBODY, subject: { of: "person", name: "nobody" } })],
      ["entry-unknown", () => redact(path, { ...NOBODY, entry: 99 })],
      ["redaction-needed", () => redact(path, PERSON, REQUEST, refuse("redaction-needed"))],
    ];
    for (const [code, run] of refused) await assert.rejects(run, { code }, code);
    const writer = await openTestLog(path);
    await assert.rejects(redact(path, PERSON), { code: "log-busy" });
    await writer.close();
    const db = new DatabaseSync(path);
    db.exec("CREATE TRIGGER stop BEFORE UPDATE ON disclosures WHEN old.idx = 3 BEGIN SELECT RAISE(ABORT, 'no'); END");
    await assert.rejects(redact(path, PERSON), { code: "log-failed" });
    db.exec("DROP TRIGGER stop");
    db.close();
    assert.deepEqual(await withheld(path), ["", "", "", ""], "and no entry says that something was erased");
    await redact(path, PERSON);
    await assert.rejects(redact(path, PERSON), { code: "nothing-to-redact" });
  });

  it("is missed where a value was taken away without one", async (context) => {
    const path = await someLog(context);
    await redact(path, { ...NOBODY, entry: 0, values: ["note"] });
    const db = new DatabaseSync(path);
    const { json } = db.prepare("SELECT json FROM disclosures WHERE idx = 2").get() as { json: string };
    const silently = { ...(JSON.parse(json) as JsonObject), persons: null };
    db.prepare("UPDATE disclosures SET json = ? WHERE idx = 2").run(JSON.stringify(silently));
    db.close();
    const verified = await verifyLog(path, { keys: [KEY.vkey] });
    assert.ok(verified.kind === "broken");
    assert.deepEqual([verified.differs, verified.index], ["disclosure", 2]);
    assert.match(verified.detail, /`persons` beside entry 2 is gone, and no redaction says so/);
  });
});

describe("a subject", () => {
  it("is a word of its own when it is a name, in keys as in texts, and any text otherwise", () => {
    const ada = { of: "person", name: "ada" } as const;
    for (const value of ["ada", "Signed by ADA.", { by: ["ada@example.com"] }, { ada: 1 }])
      assert.ok(holdsSubject(value, ada), JSON.stringify(value));
    for (const value of ["canada", "ada1", 1, null, true, [], { b: "adam" }])
      assert.ok(!holdsSubject(value, ada), JSON.stringify(value));
    assert.ok(holdsSubject("canada", { of: "text", text: "ada" }));
    assert.ok(holdsSubject([4711], { of: "text", text: "4711" }));
    const web = { of: "resource", name: "Deployment/shop/web" } as const;
    assert.ok(holdsSubject([{ id }], web) && holdsSubject("Deployment/shop/web is privileged", web));
    assert.ok(!holdsSubject([{ id: { ...id, name: "api" } }], web) && !holdsSubject({ ...id, namespace: "" }, web));
    assert.ok(holdsSubject({ kind: "Namespace", name: "shop" }, { of: "resource", name: "Namespace/shop" }));
  });
});

function refuse(code: "redaction-needed"): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}
