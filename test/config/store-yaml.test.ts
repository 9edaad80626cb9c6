import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { dataFolderOf, placeOfLog } from "../../src/config/store-yaml.ts";
import { tempFolder } from "../support/temp.ts";
import { refusal } from "./refusal.ts";

const POSTGRES = "postgres://sluice@db.example/sluice";

function write(t: TestContext, log: string): string {
  const file = join(tempFolder(t), "gate.yaml");
  writeFileSync(
    file,
    `version: 1
repositories: {shop: {url: /srv/shop.git}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: out}]}}
log: {origin: gate.example/log, key: {file: log.key}, ${log}}
release: {key: {file: release.key}}
`,
  );
  return file;
}

test("a log in PostgreSQL is reached with the password of a secret file and the certificates of a file", (t) => {
  const file = write(t, `store: "${POSTGRES}", password: {file: db.password}, ca: db.pem, data: data`);
  const { gate, folder } = readGateYaml(file);
  writeFileSync(join(folder, "db.password"), "hunter2\n");
  chmodSync(join(folder, "db.password"), 0o644); // whatever the umask is
  writeFileSync(join(folder, "db.pem"), "PEM");
  assert.equal(refusal(() => placeOfLog(gate.log, folder)).code, "secret-readable-by-others");
  writeFileSync(join(folder, "second"), "hunter2\n", { mode: 0o600 });
  const log = { ...gate.log, password: { file: "second" } };
  assert.deepEqual(placeOfLog(log, folder), { store: POSTGRES, password: "hunter2", ca: "PEM" });
  assert.equal(dataFolderOf(gate.log, folder), join(folder, "data"));
});

test("what a store needs is asked for, and what it does not use is refused", (t) => {
  const refused = (log: string) => refusal(() => readGateYaml(write(t, log)));
  for (const [log, message] of [
    [`store: "${POSTGRES}"`, /needs log\.data/],
    ['store: "sqlite:./data/log.db", data: data', /log\.data is only for a log in PostgreSQL/],
    ['store: "sqlite:./data/log.db", password: {file: x}', /log\.password is only/],
    ['store: "sqlite:./data/log.db", ca: x', /log\.ca is only/],
    ['store: "postgres://ada:hunter2@db/log", data: data', /has no password in it/],
    [`store: "${POSTGRES}", password: {env: PGPASSWORD}, data: data`, /env/],
  ] as const) {
    const { code, message: said } = refused(log);
    assert.equal(code, "gate-configuration-invalid", log);
    assert.match(said, message);
    assert.doesNotMatch(said, /hunter2/);
  }
});

test("room is measured where the log is a file, and in PostgreSQL counted against a size that is said", (t) => {
  const ofPostgres = (retention: string) => `store: "${POSTGRES}", data: data, retention: ${retention}`;
  const ofFile = (retention: string) => `store: "sqlite:./data/log.db", retention: ${retention}`;
  for (const log of [ofPostgres("{values: 730d}"), ofPostgres("{free: 5, size: 50}"), ofFile("{free: 5}")])
    assert.ok(readGateYaml(write(t, log)), log);
  for (const [log, message] of [
    [ofPostgres("{free: 5, always: 90d}"), /log\.retention\.free needs log\.retention\.size/],
    [ofPostgres("{free: 5, size: 5}"), /needs a `free` below `size`/],
    [ofPostgres("{values: 730d, size: 5}"), /needs a `free` below `size`/],
    [ofFile("{free: 5, size: 50}"), /log\.retention\.size is only for a log in PostgreSQL/],
  ] as const) {
    const refused = refusal(() => readGateYaml(write(t, log)));
    assert.equal(refused.code, "gate-configuration-invalid", log);
    assert.match(refused.message, message);
  }
});
