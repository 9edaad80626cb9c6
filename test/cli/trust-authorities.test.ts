/** `trust list` shows who may certify for whom. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { trustListSchema } from "../../src/cli/reports/schemas.ts";
import { runSluice } from "../support/sluice.ts";
import { ed25519Signer } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";
import { authority, pem } from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

test("trust list names the authorities, for whom they speak, and whether they still count", async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, "trust"));
  const write = (name: string, content: string) => writeFileSync(join(folder, "trust", name), content);
  const [laptops, old] = [ed25519Signer(), ed25519Signer()];
  const ended = authority("Ended", { from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS });
  write("ca.pem", pem("CERTIFICATE", authority("Root").der));
  write("ended.pem", pem("CERTIFICATE", ended.der));
  write("root.json", new Sigstore().trustedRoot());
  const people = {
    people: { ada: { email: ["ada@example.com"], keys: [] } },
    robots: { bot: { email: ["bot@example.com"], may: ["image"] } },
    authorities: {
      keyless: {
        root: "root.json",
        identities: [
          { issuer: PROVIDER, email: "ada@example.com", person: "ada" },
          { issuer: PROVIDER, pattern: "https://forge.example/*", robot: "bot" },
        ],
      },
      company: { certificate: "ca.pem", email: ["*@example.com"] },
      former: { certificate: "ended.pem", email: ["*@example.org"] },
      laptops: { ssh: laptops.line, email: ["*@example.com", "ops@example.org"], until: "2099-01-01" },
      old: { ssh: old.line, email: ["*@example.com"], until: "2020-01-01" },
    },
  };
  write("people.yaml", JSON.stringify(people));
  const run = await runSluice(["trust", "list", "--trust", "trust", "--format", "json"], { cwd: folder });
  const { authorities } = trustListSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    authorities.map((one) => [one.kind, one.id, one.isUsable, one.reason]),
    [
      ["ssh", "laptops", true, null],
      ["ssh", "old", false, "key-expired"],
      ["x509", "company", true, null],
      ["x509", "former", false, "key-expired"],
      ["sigstore", "keyless", true, null],
    ],
  );
  assert.deepEqual(
    authorities.map((one) => one.speaksFor.map(({ name, owner }) => [name, owner])),
    [
      [
        ["*@example.com", null],
        ["ops@example.org", null],
      ],
      [["*@example.com", null]],
      [["*@example.com", null]],
      [["*@example.org", null]],
      [
        ["ada@example.com", "ada"],
        ["https://forge.example/*", "bot"],
      ],
    ],
  );
  const { stdout } = await runSluice(["trust", "list", "--trust", "trust"], { cwd: folder });
  assert.match(stdout, /\nauthorities\n {2}laptops {2}until 2099-01-01\n {4}ssh {6}SHA256:/);
  assert.match(stdout, /\n {2}old {2}key-expired\n/);
  assert.ok(stdout.includes(`    speaks for ada@example.com of ${PROVIDER}, who is ada\n`));
});
