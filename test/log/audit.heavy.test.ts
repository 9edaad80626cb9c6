/** The auditor's bundle: complete, checked from its bytes alone, and no byte of it can change unseen. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { SluiceError } from "../../src/lib/errors.ts";
import { Changes } from "../../src/log/audit/changes.ts";
import type { AuditRow } from "../../src/log/audit/layout.ts";
import { type AuditBundle, type AuditRequest, writeAuditBundle } from "../../src/log/audit/write.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { noteSigner } from "../../src/log/note.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { sourceDigest, sourcesText } from "../../src/policy/policy-sources.ts";
import { draft, fill, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

const KEYS = { keys: [KEY.vkey] };
const SIGNER = noteSigner(KEY.skey);
const DAY_MS = 86_400_000;
const FIRST = Date.parse("2026-10-01T00:00:00Z");
const EVERYTHING: AuditRequest = { from: null, to: null, by: "erin" };

/** `perDay[n]` entries on day n. */
async function logOfDays(scope: Scope, perDay: readonly number[]): Promise<{ log: DecisionLog; path: string }> {
  let now = FIRST;
  const path = logPath(scope);
  const log = await openTestLog(path, { clock: () => now });
  for (const count of perDay) {
    await fill(log, count);
    now += DAY_MS;
  }
  return { log, path };
}

async function bundleOf(
  scope: Scope,
  perDay: readonly number[],
  request: Partial<AuditRequest> = {},
): Promise<AuditBundle & { folder: string }> {
  const { log } = await logOfDays(scope, perDay);
  const folder = join(tempFolder(scope), "bundle");
  const bundle = await writeAuditBundle(log, SIGNER, folder, { ...EVERYTHING, ...request });
  await log.close();
  return { ...bundle, folder };
}

async function verdict(folder: string, options = {}): Promise<string> {
  const result = await verifyLog(folder, { ...KEYS, ...options });
  return result.kind === "intact" ? "intact" : `${result.code} ${result.differs} ${result.index}`;
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile());
}

describe("an auditor's bundle", () => {
  it("holds the sources of the policies that judged, each proven by its digest, and says of which it has none", async (context) => {
    const sources = { compiler: "opa 1.22.0", host: 1, policies: [{ path: "a.rego", text: "package a\n" }] };
    const digest = sourceDigest(sources);
    const { log } = await logOfDays(context, [1]);
    const digests = { policies: digest, trust: null, configuration: null, waivers: null, code: "1" };
    await log.append(draft({ digests, subject: { judge: "a".repeat(40) } }));
    const folder = join(tempFolder(context), "bundle");
    const asked: string[] = [];
    const bundle = await writeAuditBundle(log, SIGNER, folder, EVERYTHING, undefined, async (wanted, judges) => {
      asked.push(`${wanted === digest} ${judges.join()}`);
      return sourcesText(sources); // also for the digest that it is not of
    });
    await log.close();
    assert.deepEqual(bundle.policies, { judged: 2, held: 1 });
    assert.ok(asked.includes(`true ${"a".repeat(40)}`));
    assert.equal(await verdict(folder), "intact");
    const path = join(folder, "policies", `${digest}.json`);
    for (const text of [`${sourcesText(sources)}\n`, sourcesText({ ...sources, host: 2 }), "{}"]) {
      writeFileSync(path, text);
      assert.equal(await verdict(folder), "log-tampered bundle null", text);
    }
    rmSync(path);
    assert.equal(await verdict(folder), "log-tampered bundle null");
    writeFileSync(path, sourcesText(sources));
    writeFileSync(join(folder, "policies", `${"ab".repeat(32)}.json`), "{}");
    assert.equal(await verdict(folder), "log-tampered bundle null");
  });

  it("holds exactly the entries of its period, whatever the tree's size, and verifies from its bytes", async (context) => {
    const cases: [perDay: number[], from: number, to: number, start: number, end: number][] = [
      [[3, 4, 5], 1, 2, 3, 7],
      [[256, 1, 255], 1, 2, 256, 257],
      [[300, 0, 300], 1, 2, 300, 300],
      [[0, 2], 0, 9, 0, 2],
      [[], 0, 9, 0, 0],
    ];
    for (const [perDay, from, to, start, end] of cases) {
      const period = { from: FIRST + from * DAY_MS, to: FIRST + to * DAY_MS };
      const { query, folder, checkpoint, read } = await bundleOf(context, perDay, period);
      assert.deepEqual([query.start, query.end, read], [start, end, checkpoint.size - 1], `${perDay}`);
      const rows = readFileSync(join(folder, "rows.ndjson"), "utf8").split("\n").slice(0, -1);
      assert.deepEqual(
        rows.map((row) => (JSON.parse(row) as AuditRow).index),
        Array.from({ length: end - start }, (_, at) => start + at),
      );
      const result = await verifyLog(folder, KEYS);
      assert.ok(result.kind === "intact", JSON.stringify(result));
      assert.deepEqual(result.disclosures, { matching: (end - start) * 6 + 2, redacted: 0 });
      const statement = JSON.parse(readFileSync(join(folder, "statement.json"), "utf8"));
      assert.deepEqual(
        [statement.entries, statement.kinds],
        [end - start, end > start ? { decision: end - start } : {}],
      );
      assert.deepEqual([statement.read.by, statement.indexes], ["erin", { start, end }]);
    }
  });

  it("is logged before it is written, by an entry that is the last one under its checkpoint", async (context) => {
    const { log } = await logOfDays(context, [2]);
    const folder = join(tempFolder(context), "bundle");
    const { read } = await writeAuditBundle(log, SIGNER, folder, EVERYTHING);
    const entry = await log.read(read ?? -1);
    assert.deepEqual([entry.leaf.kind, entry.disclosed["by"]?.value], ["read", "erin"]);
    await assert.rejects(writeAuditBundle(log, SIGNER, folder, EVERYTHING), { code: "bundle-exists" });
    assert.equal((await log.checkpoint()).size, 3, "a refused export reads nothing and logs nothing");
    await assert.rejects(writeAuditBundle(log, SIGNER, join(folder, "a", "b"), EVERYTHING), { code: "usage" });
    await log.close();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const path of filesOf(folder)) assert.equal(statSync(path).mode & 0o777, 0o600, path);
  });

  it("may be taken from a reader while another writes, and then says that it is in no log", async (context) => {
    const { log, path } = await logOfDays(context, [3, 2, 2]);
    const reader = await openTestReader(path);
    for (const [name, request, rows] of [
      ["all", EVERYTHING, 7],
      ["day", { ...EVERYTHING, from: FIRST + DAY_MS, to: FIRST + 2 * DAY_MS }, 2],
    ] as const) {
      const folder = join(tempFolder(context), name);
      const { read, checkpoint, query } = await writeAuditBundle(reader, SIGNER, folder, request, null);
      assert.deepEqual([read, checkpoint.size, query.end - query.start], [null, 7, rows]);
      assert.equal(await verdict(folder), "intact");
      const statement = JSON.parse(readFileSync(join(folder, "statement.json"), "utf8"));
      assert.deepEqual([statement.read.logged, statement.read.by, statement.read.index], [false, "erin", null]);
      for (const [from, to] of [
        ['"end":', '"end":1'],
        ['"by":"erin"', '"by":"eve"'],
        ['"logged":false', '"logged":true'],
        ['"start":', '"start": '],
      ] as const) {
        const file = join(folder, "read.json");
        const text = readFileSync(file, "utf8");
        writeFileSync(file, text.replace(from, to));
        assert.notEqual(await verdict(folder), "intact", to);
        writeFileSync(file, text);
      }
    }
    await assert.rejects(writeAuditBundle(reader, SIGNER, join(tempFolder(context), "b"), EVERYTHING), {
      code: "log-read-only",
    });
    await reader.close();
    await log.close();
  });

  it("leaves no folder behind when its reading could not be logged", async (context) => {
    const { log } = await logOfDays(context, [1]);
    const folder = join(tempFolder(context), "bundle");
    const refuse = () => Promise.reject(new SluiceError("log-busy", "Another process writes."));
    await assert.rejects(writeAuditBundle(log, SIGNER, folder, EVERYTHING, refuse), { code: "log-busy" });
    assert.equal(existsSync(folder), false);
    await log.close();
  });

  it("is held against checkpoints that were seen before, and against the key that its reader has", async (context) => {
    const { log } = await logOfDays(context, [4]);
    const old = (await log.checkpoint()).note;
    await fill(log, 3);
    const folder = join(tempFolder(context), "bundle");
    await writeAuditBundle(log, SIGNER, folder, EVERYTHING);
    await log.append(draft());
    const later = (await log.checkpoint()).note;
    await log.close();
    const other = await logOfDays(context, [4]);
    const forked = (await other.log.checkpoint()).note;
    await other.log.close();
    assert.equal(await verdict(folder, { known: [old] }), "intact");
    assert.equal(await verdict(folder, { known: [later] }), "log-rolled-back tree null");
    assert.equal(await verdict(folder, { known: [forked] }), "log-forked tree null");
    assert.equal(
      await verdict(folder, { keys: ["a+27b7457b+ATCT"] }).catch((thrown) => thrown.code),
      "note-key-invalid",
    );
  });
});

describe("a forger of a whole bundle", () => {
  it("fails at the signed root, also with everything beside it made to fit", async (context) => {
    const [honest, forged] = [await bundleOf(context, [3]), await bundleOf(context, [3])];
    const root = ({ checkpoint }: AuditBundle) => Buffer.from(checkpoint.root).toString("base64");
    const statement = join(forged.folder, "statement.json");
    writeFileSync(statement, readFileSync(statement, "utf8").replace(root(forged), root(honest)));
    cpSync(join(honest.folder, "checkpoint"), join(forged.folder, "checkpoint"));
    assert.equal(await verdict(forged.folder), "log-tampered tree null");
  });
});

describe("a gate that writes a bundle", () => {
  it("is not believed about the bounds of its period", async (context) => {
    for (const [lie, index] of [
      [{ start: 4 }, 3],
      [{ end: 4 }, 4],
      [{ start: 2 }, 2],
      [{ end: 6 }, 5],
    ] as const) {
      const { log } = await logOfDays(context, [3, 2, 2]);
      const honest = { from: FIRST + DAY_MS, to: FIRST + 2 * DAY_MS, by: "erin" };
      const bounds = { start: 3, end: 5, ...lie };
      const count: DecisionLog["count"] = async ({ to }) => (to === honest.to ? bounds.end : bounds.start);
      const lying = new Proxy(log, {
        get: (whole, name) => {
          const member: unknown = name === "count" ? count : Reflect.get(whole, name, whole);
          return typeof member === "function" ? member.bind(whole) : member;
        },
      });
      const folder = join(tempFolder(context), "bundle");
      await writeAuditBundle(lying, SIGNER, folder, honest);
      await log.close();
      assert.equal(await verdict(folder), `log-tampered bundle ${index}`);
    }
  });
});

describe("a change to an auditor's bundle", () => {
  const cleanups: (() => void)[] = [];
  const scope: Scope = { after: (cleanup) => void cleanups.push(cleanup as () => void) };
  let template = "";
  before(async () => {
    template = (await bundleOf(scope, [2, 3, 2], { from: FIRST + DAY_MS, to: FIRST + 2 * DAY_MS })).folder;
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });
  const copied = (context: TestContext): string => {
    const folder = join(tempFolder(context), "bundle");
    cpSync(template, folder, { recursive: true });
    return folder;
  };

  it("is found wherever one byte is another", async (context) => {
    const folder = copied(context);
    let tried = 0;
    for (const path of filesOf(folder)) {
      const bytes = readFileSync(path);
      // every byte of what is small or signed; a stride that is coprime to everything in what is long
      const stride = bytes.length > 2000 ? 13 : 1;
      for (let at = 0; at < bytes.length; at += stride) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (at % 2 === 0 ? 1 : 0x80);
        writeFileSync(path, changed);
        assert.notEqual(await verdict(folder), "intact", `${path} ${at}`);
        tried += 1;
      }
      writeFileSync(path, bytes);
    }
    assert.ok(tried > 2500, `${tried}`);
    assert.equal(await verdict(folder), "intact");
  });

  it("is found where a file is missing, cut short, longer, or not one of the bundle's", async (context) => {
    const folder = copied(context);
    for (const path of filesOf(folder)) {
      const bytes = readFileSync(path);
      rmSync(path);
      assert.notEqual(await verdict(folder), "intact", `without ${path}`);
      for (const other of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from("\n")]), Buffer.alloc(0)]) {
        if (other.equals(bytes)) continue;
        writeFileSync(path, other);
        assert.notEqual(await verdict(folder), "intact", `${path} of ${other.length} bytes`);
      }
      writeFileSync(path, bytes);
    }
    writeFileSync(join(folder, "note.txt"), "believe me");
    assert.equal(await verdict(folder), "log-tampered bundle null");
    rmSync(join(folder, "note.txt"));
    mkdirSync(join(folder, "empty"));
    assert.equal(await verdict(folder), "intact");
    symlinkSync("rows.ndjson", join(folder, "tile", "link"));
    assert.equal(await verdict(folder), "log-tampered bundle null");
    rmSync(join(folder, "tile", "link"));
    rmSync(join(folder, "checkpoint"));
    assert.equal(spawnSync("mkfifo", [join(folder, "checkpoint")]).status, 0);
    assert.equal(await verdict(folder), "log-tampered bundle null");
  });

  it("is found where a row is left out, doubled or moved, and names its entry", async (context) => {
    const folder = copied(context);
    const path = join(folder, "rows.ndjson");
    const rows = readFileSync(path, "utf8").split(/(?<=\n)/);
    const [a = "", b = "", c = ""] = rows;
    for (const [changed, expected] of [
      [[a, c], "disclosure 3"],
      [[a, b], "bundle 4"],
      [[a, b, c, c], "bundle 5"],
      [[b, a, c], "disclosure 2"],
    ] as const) {
      writeFileSync(path, changed.join(""));
      assert.equal(await verdict(folder), `log-tampered ${expected}`);
    }
  });
});

describe("changes.csv", () => {
  const row = (change: { readonly leaf?: object; readonly disclosed?: object; readonly index?: number }): AuditRow =>
    ({
      index: 7,
      leafHash: "aGFzaA==",
      ...change,
      leaf: {
        kind: "decision",
        target: "prod",
        purpose: "gate",
        verdict: "allow",
        reasons: [],
        subject: { commit: "c0" },
        ...change.leaf,
      },
      disclosed: Object.fromEntries(
        Object.entries(change.disclosed ?? {}).map(([name, value]) => [name, { salt: "", value }]),
      ),
    }) as unknown as AuditRow;

  it("tells a landing by the people of the proposal that it carries, its release and its report", () => {
    const changes = new Changes();
    const people = (signer: string, reviewer: string) => ({
      verifications: [{ signer: { person: signer } }, { signer: null }],
      approvals: { given: [{ person: reviewer, at: "2026-10-02T00:00:00.000Z" }] },
    });
    changes.add(row({ index: 3, leaf: { subject: { head: "a" } }, disclosed: people("ada", "lin") }));
    changes.add(
      row({
        disclosed: {
          ...people("forge", "nobody"),
          evidence: { carried: { index: 3, how: "squash" } },
          waivers: [{ id: "w1" }],
        },
      }),
    );
    changes.add(
      row({
        leaf: { kind: "release", time: "2026-10-02T01:00:00.000Z" },
        disclosed: { sequence: 4, decision: { index: 7 } },
      }),
    );
    changes.add(
      row({ leaf: { kind: "applied" }, disclosed: { sequence: 4, at: "2026-10-02T02:00:00.000Z", result: "applied" } }),
    );
    assert.equal(changes.count, 1);
    assert.equal(
      changes.text().split("\r\n")[1],
      "c0,prod,,,,ada,lin,2026-10-02T00:00:00.000Z,,,allow,squash,w1,2026-10-02T01:00:00.000Z,2026-10-02T02:00:00.000Z,applied,,,7,aGFzaA==",
    );
  });

  it("names who reviewed what one operator alone released: the first who did, and of that commit only", () => {
    const changes = new Changes();
    const alone = { reasons: ["emergency-release", "review-due"] };
    const review = (commit: string, by: string, time: string, target = "prod") =>
      changes.add(row({ leaf: { kind: "review", target, subject: { commit }, time }, disclosed: { by } }));
    review("c0", "early", "2026-10-01T00:00:00.000Z");
    for (const commit of ["c0", "c1"]) changes.add(row({ leaf: { ...alone, subject: { commit } } }));
    changes.add(row({ leaf: { reasons: ["emergency-release"], subject: { commit: "c2" } } }));
    review("c0", "elsewhere", "2026-10-02T00:00:00.000Z", "staging");
    review("c0", "jo", "2026-10-02T01:00:00.000Z");
    review("c0", "late", "2026-10-02T02:00:00.000Z");
    review("c2", "jo", "2026-10-02T03:00:00.000Z");
    const lines = changes.text().trimEnd().split("\r\n");
    assert.deepEqual(
      lines.slice(1).map((line) => [line.split(",")[0], ...line.split(",").slice(16, 18)]),
      [
        ["c0", "jo", "2026-10-02T01:00:00.000Z"],
        ["c1", "", ""],
        ["c2", "", ""],
      ],
    );
  });

  it("neutralises what a spreadsheet would run, and keeps a row a line", () => {
    for (const [text, cell] of [
      ["=1+1", `"'=1+1"`],
      ["+1", `"'+1"`],
      ["-1", `"'-1"`],
      ["@x", `"'@x"`],
      ["\t=x", `"' =x"`],
      ["\u00a0=x", `"'\u00a0=x"`],
      ["\uff1dx", `"'\uff1dx"`],
      ['a"b\r\nc', '"a""b  c"'],
      ["a,b", '"a,b"'],
      ["a;b", '"a;b"'],
    ]) {
      const changes = new Changes();
      changes.add(row({ disclosed: { verifications: [{ signer: { person: text } }] } }));
      const lines = changes.text().split("\r\n");
      assert.equal(lines.length, 3);
      assert.ok(lines[1]?.includes(`,${cell},`), `${JSON.stringify(text)}: ${lines[1]}`);
    }
  });

  it("says nothing of what was withheld, and is not misled by values of another form", () => {
    const changes = new Changes();
    for (const disclosed of [
      { approvals: null, verifications: "x", evidence: [], waivers: { id: 1 } },
      { approvals: { given: [1, null, { person: 5 }] }, evidence: { carried: { index: 9, how: 3 } } },
    ])
      changes.add(row({ disclosed }));
    for (const line of changes.text().split("\r\n").slice(1, 3))
      assert.equal(line, "c0,prod,,,,,,,,,allow,direct,,,,,,,7,aGFzaA==");
  });
});
