import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { GateConfiguration } from "../../../src/config/gate-yaml.ts";
import { utf8 } from "../../../src/lib/bytes.ts";
import { type ForgeHint, openHints, readHintSecrets, type SignedHint } from "../../../src/server/access/hints.ts";
import { tempFolder } from "../../support/temp.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const SECONDS = String(NOW / 1000);
const SECRET = "a secret of thirty-two bytes....";

/** As openssl signs it. */
function sign(secret: string, text: string): string {
  const digest = execFileSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-binary"], { input: text });
  return `v1,${digest.toString("base64")}`;
}

function hint(change: Partial<SignedHint> = {}): SignedHint {
  const { id = "msg_1", timestamp = SECONDS, body = utf8("{}") } = change;
  const signature = sign(SECRET, `${id}.${timestamp}.${Buffer.from(body).toString()}`);
  return { repository: "shop", id, timestamp, body, signature, ...change };
}

function open(clock = { now: NOW }) {
  return openHints(new Map([["shop", utf8(SECRET)]]), () => clock.now);
}

/** Hex, as openssl prints it. */
function hex(secret: string, text: string): string {
  return execFileSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-r"], { input: text }).toString().slice(0, 64);
}

describe("a webhook of a forge", () => {
  const body = utf8('{"ref": "refs/heads/main"}');
  const signed = hex(SECRET, Buffer.from(body).toString());
  const webhook = (
    forge: ForgeHint["forge"],
    signature: string | null,
    change: Partial<ForgeHint> = {},
  ): ForgeHint => ({
    repository: "shop",
    forge,
    signature,
    body,
    ...change,
  });
  const good = { github: `sha256=${signed}`, gitea: signed, gitlab: SECRET } as const;

  for (const [forge, signature] of Object.entries(good) as [ForgeHint["forge"], string][]) {
    it(`is known by what ${forge} sends, again and again, and by nothing near it`, () => {
      const hints = open();
      for (const _ of [1, 2]) hints.checkForge(webhook(forge, signature));
      const others = [
        `${signature.slice(0, -1)}${signature.endsWith("0") ? "1" : "0"}`,
        signature.slice(0, -1),
        `${signature}0`,
        signature.toUpperCase(),
        ` ${signature}`,
        hex("x".repeat(32), Buffer.from(body).toString()),
        "sha1=0000000000000000000000000000000000000000",
      ];
      for (const other of others)
        assert.throws(() => hints.checkForge(webhook(forge, other)), { code: "hint-signature" }, other);
      for (const none of [null, ""])
        assert.throws(() => hints.checkForge(webhook(forge, none)), { code: "hint-unsigned" });
      assert.throws(() => hints.checkForge(webhook(forge, signature, { repository: "other" })), {
        code: "hint-signature",
      });
    });
  }

  it("is bound to its body where the forge signs it", () => {
    for (const forge of ["github", "gitea"] as const)
      assert.throws(() => open().checkForge(webhook(forge, good[forge], { body: utf8("{}") })), {
        code: "hint-signature",
      });
  });

  it("is known by the secret that counts now", () => {
    const hints = open();
    hints.replaceSecrets(new Map([["shop", utf8("y".repeat(32))]]));
    assert.throws(() => hints.checkForge(webhook("gitlab", SECRET)), { code: "hint-signature" });
    hints.checkForge(webhook("gitlab", "y".repeat(32)));
  });
});

describe("a signed hint", () => {
  it("is taken once, also with other signatures beside its own", () => {
    const hints = open();
    const signed = hint();
    hints.check({ ...signed, signature: `v1,AAAA v2,x ${signed.signature}` });
    assert.throws(() => hints.check(signed), { code: "hint-replayed" });
    hints.check(hint({ id: "msg_2" }));
  });

  it("is still known when its id could come again, and not kept for ever", () => {
    const clock = { now: NOW };
    const hints = open(clock);
    const late = hint({ timestamp: String(NOW / 1000 + 299) });
    hints.check(late);
    clock.now = NOW + 599_000;
    assert.throws(() => hints.check(late), { code: "hint-replayed" });
    clock.now = NOW + 600_000;
    assert.throws(() => hints.check(late), { code: "hint-expired" });
  });

  for (const [what, change] of [
    ["without a signature", { signature: null }],
    ["without an id", { id: null }],
    ["without a time", { timestamp: null }],
    ["with an id that moves the border between its parts", { id: "msg.1" }],
    ["with a time that is no number of seconds", { timestamp: "2026-11-21" }],
  ] as const) {
    it(`is refused ${what}`, () => {
      const signed = hint();
      assert.throws(() => open().check({ ...signed, ...change }), { code: "hint-unsigned" });
    });
  }

  for (const [what, change] of [
    ["by another secret", { signature: sign("another secret of 32 bytes......", `msg_1.${SECONDS}.{}`) }],
    ["over another body", { body: utf8('{"ref":"main"}'), signature: sign(SECRET, `msg_1.${SECONDS}.{}`) }],
    ["under another id", { id: "msg_9", signature: sign(SECRET, `msg_1.${SECONDS}.{}`) }],
    ["in another version", { signature: sign(SECRET, `msg_1.${SECONDS}.{}`).replace("v1,", "v2,") }],
    ["for another repository", { repository: "other" }],
    ["with too little of it", { signature: sign(SECRET, `msg_1.${SECONDS}.{}`).slice(0, -4) }],
  ] as const) {
    it(`is refused when it is signed ${what}`, () => {
      assert.throws(() => open().check(hint(change)), { code: "hint-signature" });
    });
  }

  it("is refused when it is old, or from the future", () => {
    for (const at of [NOW - 301_000, NOW + 301_000])
      assert.throws(() => open().check(hint({ timestamp: String(at / 1000) })), { code: "hint-expired" });
  });

  it("is known by the new secret once that is read, and what was taken stays taken", () => {
    const hints = open();
    hints.check(hint());
    const next = "the next secret, thirty-two bytes";
    hints.replaceSecrets(new Map([["shop", utf8(next)]]));
    assert.throws(() => hints.check(hint({ id: "msg_2" })), { code: "hint-signature" });
    const again = { ...hint(), signature: sign(next, `msg_1.${SECONDS}.{}`) };
    assert.throws(() => hints.check(again), { code: "hint-replayed" });
  });
});

describe("the secret of hints", () => {
  it("is read from a file of mode 0600, long enough, as text or as Standard Webhooks writes it", (t) => {
    const folder = tempFolder(t);
    const file = join(folder, "hint.secret");
    const configuration = {
      folder,
      file: join(folder, "gate.yaml"),
      gate: { repositories: { shop: { hint: { secret: { file: "hint.secret" } } }, other: {} } },
    } as unknown as GateConfiguration;
    const read = () => readHintSecrets(configuration, {});
    writeFileSync(file, `${SECRET}\n`, { mode: 0o600 });
    assert.deepEqual([...read()], [["shop", utf8(SECRET)]]);
    writeFileSync(file, `whsec_${Buffer.from(SECRET).toString("base64")}`);
    assert.deepEqual([...read().values()], [utf8(SECRET)]);
    for (const short of ["too short", "whsec_AAAA", `whsec_${"!".repeat(40)}`]) {
      writeFileSync(file, short);
      assert.throws(read, { code: "gate-configuration-invalid" });
    }
    chmodSync(file, 0o644);
    assert.throws(read, { code: "secret-readable-by-others" });
  });
});
