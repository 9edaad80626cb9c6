/** `trust import github -`: a forge's answer on standard input; nothing is fetched. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { trustImportSchema } from "../../src/cli/reports/schemas/trust-import.ts";
import { importForgeKeys } from "../../src/signature/trust-import-forge.ts";
import { GpgHome } from "../support/signing.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test("trust import github - takes the forge's signing keys from standard input, for the address that is named", async (t) => {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  const body = ada.line.split(" ").slice(0, 2).join(" ");
  const input = JSON.stringify([{ id: 7, key: body, title: "laptop", created_at: "2026-01-01T00:00:00Z" }]);
  const args = ["trust", "import", "github", "-", "--email", "Ada@example.com", "--format", "json"];
  const run = await runSluice(args, { cwd: folder, input });
  const { people } = trustImportSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    [run.code, people.map(({ id, emails, keys }) => [id, emails, keys[0]?.fingerprint])],
    [0, [["ada", ["ada@example.com"], ada.fingerprint]]],
  );
  const other = await runSluice(["trust", "import", "gitlab", "-"], { cwd: folder });
  assert.deepEqual([other.code, other.stderr.split("  ")[0]], [2, "usage"]);
});

test("a forge's OpenPGP keys count with their own addresses, as text and as JSON", (t) => {
  const gpg = new GpgHome(t);
  const fingerprint = gpg.key("Ada <ada@example.com>", "ed25519");
  const armour = gpg.gpg(["--armor", "--export", fingerprint]).toString();
  for (const input of [armour, JSON.stringify([{ raw_key: armour, emails: [] }])]) {
    const { keys } = importForgeKeys(bytes(input), null);
    assert.deepEqual([keys.length, keys[0]?.emails], [1, ["ada@example.com"]]);
  }
});

test("an SSH key without an address, or of a kind that is none, is skipped and said", () => {
  const found = importForgeKeys(bytes('[{"key": "ssh-dss AAAA"}]'), "ada@example.com");
  assert.deepEqual([found.keys.length, found.skipped.map(({ what }) => what)], [0, ["key 1"]]);
});

test("what is no list of keys is refused with trust-import-invalid", () => {
  for (const input of ["", "{}", '{"message": "Not Found"}', "[1]", '[{"title": "x"}]', "[", "\u00ff\u0000"]) {
    assert.throws(() => importForgeKeys(bytes(input), null), { code: "trust-import-invalid" }, input);
  }
});
