/** `sluice log list` as an auditor types it: filters, paging, order, counts, and a stream. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { logList } from "../../src/cli/log-list.ts";
import { entryLine } from "../../src/cli/reports/entry.ts";
import { entriesSchema, entryLineSchema } from "../../src/gate/json/schemas/log.ts";
import type { EntryDraft, EntryKind, Leaf, LoggedEntry } from "../../src/log/entry.ts";
import { runHere } from "../support/in-process.ts";
import { draft, ORIGIN, openTestLog } from "../support/log.ts";
import { document } from "../support/shop.ts";
import { tempFolder } from "../support/temp.ts";

const COMMIT = "9be1d02aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0";

describe("log list", () => {
  const folder = tempFolder({ after });
  const list = (...args: readonly string[]) => runHere(logList, ["--config", "gate.yaml", ...args], folder);
  const indexes = async (...args: readonly string[]) => {
    const { stdout, stderr } = await list("--format", "json", ...args);
    assert.equal(stderr, "");
    return entriesSchema.parse(JSON.parse(stdout)).entries.map(({ index }) => index);
  };

  before(async () => {
    mkdirSync(join(folder, "data"), { mode: 0o700 });
    writeFileSync(join(folder, "gate.yaml"), document(gateYaml()));
    const log = await openTestLog(join(folder, "data", "log.db"));
    const drafts: readonly Partial<EntryDraft>[] = [
      { kind: "genesis", verdict: null },
      { verdict: "deny", terms: [{ kind: "rule", value: "k8s-privileged" }] },
      { terms: [{ kind: "commit", value: COMMIT }] },
      { kind: "hold", verdict: null, target: null, terms: [{ kind: "person", value: "sam" }] },
      { target: "staging", disclosed: { reason: "x" } },
    ];
    for (const one of drafts) await log.append(draft(one));
    await log.close();
  });

  it("has columns that line up whatever the kinds, and names the commit at which a judge is read", () => {
    const judge = COMMIT;
    const line = (kind: EntryKind, subject: Leaf["subject"]) => {
      const leaf = { kind, subject, time: "2026-11-20T10:13:00.000Z", target: "prod", verdict: null, reasons: [] };
      return entryLine({ index: 7, leaf } as unknown as LoggedEntry);
    };
    const lines = [line("configuration-change", { judge, tree: COMMIT }), line("hold", { commit: COMMIT, judge: "0" })];
    const [long, short] = lines.map((one) => [one.indexOf("prod"), one.indexOf(COMMIT.slice(0, 7)), one.length]);
    assert.deepEqual(long, short);
    assert.ok((long?.[1] ?? -1) > 0);
  });

  it("refuses a target that neither gate.yaml nor the log knows, and shows one that only the log knows", async () => {
    for (const more of [[], ["--count"], ["--format", "ndjson"], ["--sample", "1", "--seed", "x"]]) {
      const { code, stdout, stderr } = await list("--target", "prdo", ...more);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(
        stderr,
        /^target-unknown {2}No entry is about prdo, and gate\.yaml names prod.*\n +fix {2}--target prod\n$/,
      );
    }
    assert.deepEqual(await indexes("--target", "staging"), [4]);
  });

  it("answers newest first, or oldest first, and goes on behind an entry in the same order", async () => {
    assert.deepEqual(await indexes(), [4, 3, 2, 1, 0]);
    assert.deepEqual(await indexes("--limit", "2", "--after", "3"), [2, 1]);
    assert.deepEqual(await indexes("--sort", "oldest"), [0, 1, 2, 3, 4]);
    assert.deepEqual(await indexes("--sort", "oldest", "--limit", "2", "--after", "1"), [2, 3]);
  });

  it("finds by a commit's whole id and by its first digits, in either case", async () => {
    for (const commit of [COMMIT, COMMIT.slice(0, 4), "9BE1D02"])
      assert.deepEqual(await indexes("--commit", commit), [2]);
    assert.deepEqual(await indexes("--commit", "9be1d03"), []);
    assert.deepEqual(await indexes("--commit", "9be1", "--rule", "k8s-privileged"), []);
  });

  it("finds by rule, person, kind, verdict and target, each alone", async () => {
    assert.deepEqual(await indexes("--rule", "k8s-privileged"), [1]);
    assert.deepEqual(await indexes("--person", "sam"), [3]);
    assert.deepEqual(await indexes("--kind", "hold", "--kind", "genesis"), [3, 0]);
    assert.deepEqual(await indexes("--verdict", "deny"), [1]);
    assert.deepEqual(await indexes("--target", "staging"), [4]);
  });

  it("finds by the words of texts, and by a repository's targets", async () => {
    assert.deepEqual(await indexes("--text", "KUSTOMIZATION apps"), [3, 2, 1, 0]);
    assert.deepEqual(await indexes("--text", "kustomization", "--verdict", "deny"), [1]);
    assert.deepEqual(await indexes("--text", "kustomization nobody"), []);
    assert.deepEqual(await indexes("--repository", "shop"), [2, 1, 0]);
    for (const wrong of [
      ["--text", "…"],
      ["--repository", "none"],
      ["--repository", "shop", "--target", "prod"],
    ])
      assert.equal((await list(...wrong)).code, 2, wrong.join(" "));
  });

  it("says only how many there are when asked for a count", async () => {
    assert.equal((await list("--count", "--target", "prod")).stdout, "3\n");
    const { stdout } = await list("--count", "--format", "json");
    assert.deepEqual(entriesSchema.parse(JSON.parse(stdout)).count, 5);
  });

  it("streams every entry as a line, with its values where asked for, into a file where one is named", async () => {
    const lines = (text: string) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => entryLineSchema.parse(JSON.parse(line)));
    const all = lines((await list("--format", "ndjson")).stdout);
    assert.deepEqual(
      all.map(({ index, disclosed }) => [index, disclosed]),
      [4, 3, 2, 1, 0].map((index) => [index, undefined]),
    );
    const [one] = lines((await list("--format", "ndjson", "--disclosed", "--limit", "1")).stdout);
    assert.deepEqual([one?.index, one?.disclosed], [4, { reason: "x" }]);
    const written = await list("--format", "ndjson", "--sort", "oldest", "--output", "all.ndjson");
    assert.deepEqual([written.stdout, lines(readFileSync(join(folder, "all.ndjson"), "utf8")).length], ["", 5]);
  });

  it("refuses what it would have to guess", async () => {
    const refused: readonly (readonly string[])[] = [
      ["--commit", "9be"],
      ["--commit", "main"],
      ["--sort", "best"],
      ["--after", "x"],
      ["--disclosed"],
      ["--format", "ndjson", "--format", "json"],
      ["--format", "ndjson", "--count"],
      ["--format", "xml"],
      ["--sample", "2", "--seed", "x", "--sort", "oldest"],
      ["--sample", "2", "--seed", "x", "--format", "ndjson"],
    ];
    for (const args of refused) {
      const { code, stdout, stderr } = await list(...args);
      assert.deepEqual([code, stdout, stderr.split("  ")[0]], [2, "", "usage"], args.join(" "));
    }
  });
});

function gateYaml() {
  return {
    version: 1,
    repositories: { shop: { url: "./shop.git" } },
    targets: { prod: { repository: "shop", branch: "main", channels: [{ directory: "./channel" }] } },
    log: { store: "sqlite:./data/log.db", origin: ORIGIN, key: { file: "log.key" } },
    release: { key: { file: "release.key" } },
  };
}
