import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { tempFolder } from "../support/temp.ts";

function gateYaml(staging: string): string {
  return `version: 1
repositories: {shop: {url: ./shop.git}}
targets:
  prod: {repository: shop, branch: main, channels: [{directory: ./out/prod}]}
  staging: {repository: shop, branch: main, channels: [{directory: ${staging}}]}
log: {store: "sqlite:./data/log.db", origin: gate.example/log, key: {file: log.key}}
release: {key: {file: release.key}}
`;
}

describe("channels of several targets", () => {
  it("refuses two targets in one folder, however it is written", (t) => {
    const file = join(tempFolder(t), "gate.yaml");
    writeFileSync(file, gateYaml("./out/x/../prod/"));
    assert.throws(
      () => readGateYaml(file),
      (error) => error instanceof SluiceError && error.code === "gate-configuration-invalid",
    );
  });

  it("accepts a folder for each", (t) => {
    const file = join(tempFolder(t), "gate.yaml");
    writeFileSync(file, gateYaml("./out/staging"));
    assert.equal(Object.keys(readGateYaml(file).gate.targets).length, 2);
  });
});
