import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Access, localAccess, openAccess } from "../../../src/server/access/authenticate.ts";
import { addToken, tokenText } from "../../../src/server/access/tokens.ts";
import { tempFolder } from "../../support/temp.ts";

const DAY_MS = 86_400_000;
const NOON = Date.parse("2026-11-21T12:00:00Z");
const ADA = tokenText(new Uint8Array(32).fill(1));
const KIM = tokenText(new Uint8Array(32).fill(2));
const STRANGER = tokenText(new Uint8Array(32).fill(3));

function open(t: TestContext, now: () => number = () => NOON): Access {
  const folder = tempFolder(t);
  const file = join(folder, "tokens.yaml");
  addToken(file, { role: "operator", person: "ada", targets: ["prod"] }, ADA);
  addToken(file, { role: "auditor", person: "e.kim", until: "2026-11-28" }, KIM);
  const subjects = {
    "CN=apiserver": "caller",
    "O=example, CN=sam": { role: "admin", person: "sam", until: "2026-11-28" },
  } as const;
  return openAccess({ tokens: { file: "tokens.yaml" }, certificates: { ca: "ca.pem", subjects } }, folder, now);
}

function who(access: Access, authorization: string | null, subject: string | null = null): string {
  const found = access.authenticate({ authorization, subject });
  return found.kind === "known" ? `${found.principal.role} ${found.principal.person}` : found.message;
}

describe("who calls", () => {
  it("is who the token was made for, with the targets that it names", (t) => {
    const access = open(t);
    assert.equal(who(access, `Bearer ${ADA}`), "operator ada");
    assert.equal(who(access, `bearer ${KIM}`), "auditor e.kim");
    const found = access.authenticate({ authorization: `Bearer ${ADA}`, subject: null });
    assert.deepEqual(found.kind === "known" && found.principal.targets, ["prod"]);
  });

  for (const [what, authorization] of [
    ["a token that is not known", `Bearer ${STRANGER}`],
    ["a token in another scheme", `Basic ${ADA}`],
    ["a token without its scheme", ADA],
    ["two tokens", `Bearer ${ADA} ${KIM}`],
    ["nothing after the scheme", "Bearer "],
    ["an empty header", ""],
    ["a token of a thousand characters", `Bearer ${"a".repeat(1000)}`],
  ] as const) {
    it(`is nobody with ${what}`, (t) => {
      assert.equal(who(open(t), authorization), "The token is none that is known here.");
    });
  }

  it("is nobody without a token or a certificate", (t) => {
    assert.equal(who(open(t), null), "A token or a client certificate is needed.");
  });

  it("is nobody from the day on which the access ends", (t) => {
    const day = (at: string): Access => open(t, () => Date.parse(at));
    assert.equal(who(day("2026-11-27T23:59:59.999Z"), `Bearer ${KIM}`), "auditor e.kim");
    assert.equal(who(day("2026-11-28T00:00:00Z"), `Bearer ${KIM}`), "This access ended on 2026-11-28.");
    assert.equal(who(day("2026-11-28T00:00:00Z"), null, "O=example, CN=sam"), "This access ended on 2026-11-28.");
  });

  it("ends while the service runs, without a reload", (t) => {
    let now = NOON;
    const access = open(t, () => now);
    assert.equal(who(access, `Bearer ${KIM}`), "auditor e.kim");
    now += 7 * DAY_MS;
    assert.equal(who(access, `Bearer ${KIM}`), "This access ended on 2026-11-28.");
  });

  it("is whom a certificate's whole subject names, and nobody by a part of it", (t) => {
    const access = open(t);
    assert.equal(who(access, null, "CN=apiserver"), "caller CN=apiserver");
    assert.equal(who(access, null, "O=example, CN=sam"), "admin sam");
    for (const subject of [
      "CN=sam",
      "O=example",
      "CN=sam, O=example",
      "cn=apiserver",
      "CN=apiserver ",
      "CN=apiserver, CN=x",
      "constructor",
    ])
      assert.match(who(access, null, subject), /none that is known/, subject);
  });

  it("is nobody with a wrong token, whatever certificate comes with it", (t) => {
    assert.match(who(open(t), `Bearer ${STRANGER}`, "CN=apiserver"), /The token is none/);
  });

  it("is nobody in particular where no access is configured", () => {
    assert.equal(who(localAccess(), null), "local null");
    assert.equal(who(localAccess(), `Bearer ${ADA}`), "local null");
  });

  it("has an account that differs by token and by subject, and holds neither", (t) => {
    const access = open(t);
    const accounts = [
      access.authenticate({ authorization: `Bearer ${ADA}`, subject: null }),
      access.authenticate({ authorization: `Bearer ${KIM}`, subject: null }),
      access.authenticate({ authorization: null, subject: "CN=apiserver" }),
    ].map((found) => (found.kind === "known" ? found.principal.account : ""));
    assert.equal(new Set(accounts).size, 3);
    assert.ok(accounts.every((account) => account !== "" && !account.includes(ADA) && !account.includes("apiserver")));
  });
});
