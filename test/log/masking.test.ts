/** Masks: what they take out is in no file of the log, and the entry says what it was and by which mask. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { canonicalJson } from "../../src/lib/canonical.ts";
import type { EntryDraft, LoggedEntry } from "../../src/log/entry.ts";
import { BUILT_IN_MASKS } from "../../src/log/masking/built-in.ts";
import { type Mask, masked } from "../../src/log/masking/mask.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";

const TOKEN = `ghp_${"a1B2".repeat(9)}`;
const VALID = { keys: [KEY.vkey] };

/** The entry as a reader finds it, with the path of its log. */
async function recorded(context: TestContext, change: Partial<EntryDraft>, masks: readonly Mask[] = BUILT_IN_MASKS) {
  const path = logPath(context);
  const log = await openTestLog(path, { masks });
  await log.append(draft(change));
  await log.close();
  const reader = await openTestReader(path);
  context.after(() => reader.close());
  return { path, entry: await reader.read(0) };
}

const disclosedAs = ({ disclosed }: LoggedEntry, name: string) => disclosed[name]?.value;
const filesWith = (path: string, text: string) =>
  readdirSync(dirname(path)).filter((name) => readFileSync(join(dirname(path), name)).includes(text));
const named = (name: string, places: readonly (readonly string[])[]): Mask => ({
  name,
  mayConcern: () => true,
  places: () => places,
});

describe("a mask", () => {
  it("replaces the text where it stands, and the entry commits to it and says which mask it was", async (context) => {
    const findings = [{ rule: "r", message: `token ${TOKEN} leaked` }];
    const { entry, path } = await recorded(context, { disclosed: { findings, persons: ["ada"] } });
    assert.deepEqual(disclosedAs(entry, "findings"), [{ rule: "r", message: "[withheld by mask tokens]" }]);
    assert.deepEqual(disclosedAs(entry, "masks"), [{ mask: "tokens", at: ["/findings/0/message"], kept: [] }]);
    assert.equal(entry.disclosed["masked-tokens"], null);
    assert.equal(entry.leaf.commitments["masked-tokens"]?.length, 44);
    assert.deepEqual(filesWith(path, TOKEN), []);
    const verification = await verifyLog(path, VALID);
    assert.ok(verification.kind === "intact");
    assert.deepEqual(verification.disclosures, { matching: 3, redacted: 1 });
  });

  it("costs an entry without such values nothing: it is recorded as it was given", () => {
    const plain = draft();
    assert.equal(masked(plain, BUILT_IN_MASKS), plain);
  });

  const secret = { kind: "Secret", metadata: { name: "db" }, data: { password: "aHVudGVyMg==" } };
  const kubeconfig = { kind: "Config", users: [{ name: "root", user: { password: "hunter2" } }] };
  const built: readonly (readonly [string, EntryDraft["disclosed"], readonly string[]])[] = [
    ["secret-data", { objects: [secret] }, ["/objects/0/data/password"]],
    ["secret-data", { note: "apiVersion: v1\nkind: Secret\ndata:\n  a: aHVudGVyMg==" }, ["/note"]],
    ["secret-data", { note: JSON.stringify(secret) }, ["/note"]],
    ["kubeconfigs", { file: kubeconfig }, ["/file/users/0/name", "/file/users/0/user/password"]],
    ["kubeconfigs", { note: "kind: Config\nusers:\n- name: root" }, ["/note"]],
    ["kubeconfigs", { note: "client-key-data: LS0t" }, ["/note"]],
    ["tokens", { note: `eyJhbGciOiJIUzI1NiJ9.${"eyJzdWIiOiJ4In0"}.${"s".repeat(43)}` }, ["/note"]],
    ["tokens", { note: `the log says\n${TOKEN}` }, ["/note"]],
    ["tokens", { note: "-----BEGIN OPENSSH PRIVATE KEY-----" }, ["/note"]],
    ["tokens", { headers: { Authorization: "Bearer abcdefghijklmnop0123" } }, ["/headers/Authorization"]],
  ];
  for (const [name, disclosed, at] of built) {
    it(`of the built-in ones, ${name}, finds ${canonicalJson(disclosed).slice(0, 60)}`, () => {
      const { disclosed: left, withheld } = masked(draft({ disclosed, terms: [] }), BUILT_IN_MASKS);
      assert.deepEqual(left["masks"], [{ mask: name, at: [...at], kept: [] }]);
      assert.deepEqual(withheld, [`masked-${name}`]);
    });
  }

  it("leaves alone what only speaks of Secrets, tokens and configuration", () => {
    const findings = [
      { message: "kind: Secret in plain is refused; use a SealedSecret" },
      { message: "Bearer tokens expire" },
    ];
    const given = draft({ disclosed: { findings, ids: [{ kind: "Secret", name: "db" }] } });
    assert.equal(masked(given, BUILT_IN_MASKS), given);
  });

  it("takes the terms with it that nothing that is left says", async (context) => {
    const terms = [
      { kind: "person", value: "ada" },
      { kind: "person", value: "lin" },
      { kind: "subject", value: "landed" },
    ] as const;
    const change = { disclosed: { by: "ada", approvals: ["lin"] }, terms, subject: {} };
    const { path } = await recorded(context, change, [named("people", [["approvals"]])]);
    const db = new DatabaseSync(path, { readOnly: true });
    context.after(() => db.close());
    assert.equal(
      db.prepare("SELECT terms FROM disclosures").get()?.["terms"],
      '[["person","ada"],["subject","landed"]]',
    );
  });

  it("does not touch what the gate reads back, and says that it was named", () => {
    const disclosed = { digests: { manifests: "ab" }, evidence: { id: "1" }, findings: [{ message: "m", at: 3 }] };
    const { disclosed: left } = masked(draft({ disclosed }), [named("drop", [["*"]])]);
    assert.deepEqual([left["digests"], left["evidence"]], [disclosed.digests, disclosed.evidence]);
    assert.deepEqual(left["findings"], [{ message: "[withheld by mask drop]", at: 3 }]);
    assert.deepEqual(left["masks"], [{ mask: "drop", at: ["/findings/0/message"], kept: ["/digests", "/evidence"] }]);
  });

  it("does not touch who says an operator's word, until when it is reviewed and who signed it, and says so", () => {
    const disclosed = { by: "sam@example.com", reason: "mail sam@example.com", reviewDue: "soon", signers: ["ada"] };
    const masks = [named("mail", [["*"]])];
    const { disclosed: left } = masked(draft({ kind: "emergency", disclosed }), masks);
    const { reason, masks: said, "masked-mail": _, ...others } = left;
    assert.deepEqual(others, { by: "sam@example.com", reviewDue: "soon", signers: ["ada"] });
    assert.equal(reason, "[withheld by mask mail]");
    assert.deepEqual(said, [{ mask: "mail", at: ["/reason"], kept: ["/by", "/reviewDue", "/signers"] }]);
    const bypass = masked(draft({ kind: "bypass", disclosed: { by: "sam" } }), masks).disclosed;
    assert.equal(bypass["by"], "sam");
    assert.equal(
      masked(draft({ kind: "hold", disclosed: { by: "sam" } }), masks).disclosed["by"],
      "[withheld by mask mail]",
    );
  });

  it("of the same text counts once: the first one", () => {
    const masks = [named("one", [["note"]]), named("two", [["note"]])];
    const { disclosed } = masked(draft({ disclosed: { note: "text" } }), masks);
    assert.deepEqual(disclosed["masks"], [{ mask: "one", at: ["/note"], kept: [] }]);
  });

  it("explains only what its entry's record names: a value that is gone besides is BROKEN", async (context) => {
    const { path } = await recorded(context, { disclosed: { note: TOKEN, other: "said" } });
    const db = new DatabaseSync(path);
    const json = String(db.prepare("SELECT json FROM disclosures").get()?.["json"]);
    const without = json.replace(/"other":\{[^}]*\}/, '"other":null');
    assert.notEqual(without, json);
    db.prepare("UPDATE disclosures SET json = ?").run(without);
    db.close();
    const verification = await verifyLog(path, VALID);
    assert.ok(verification.kind === "broken");
    assert.match(verification.detail, /`other` beside entry 0 is gone, and no redaction says so/);
  });
});

describe("masks of a hostile text", () => {
  it("take time in the order of its length", () => {
    for (const piece of ["eyJ", "eyJaaaaaaaaa.", "kind: Secret ", "users: ", "-----BEGIN ", "Bearer "]) {
      const note = piece.repeat(200_000 / piece.length);
      masked(draft({ disclosed: { note } }), BUILT_IN_MASKS);
    }
    assert.ok(true, "it ended");
  });
});
