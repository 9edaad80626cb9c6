/** A signed hint through the service's own listener: a repository that is looked at once a day is looked at now. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { openDoor } from "../../src/server/door.ts";
import { Service } from "../../src/server/service.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";
import { ask } from "./http/served.ts";

const SECRET = "a secret of thirty-two bytes....";
const scope = ownScope();
const world = await makeGateWorld(scope, {
  gate: {
    listen: { port: 0 },
    repositories: { shop: { url: "./shop.git", poll: "1d", hint: { secret: { file: "hint.secret" } } } },
  },
});
world.write("hint.secret", `${SECRET}\n`, 0o600);
const released = new Map<string, PromiseWithResolvers<void>>();
const whenReleased = (commit: string): PromiseWithResolvers<void> => {
  const known = released.get(commit) ?? Promise.withResolvers<void>();
  released.set(commit, known);
  return known;
};
const means = {
  surroundings: readSurroundings({ HOME: world.path("home") }),
  clock: Date.now,
  random: randomBytes,
  onStep: () => undefined,
};
const journal = {
  say: (_: string, message: string, fields: Readonly<Record<string, unknown>> = {}) => {
    if (message === "released") whenReleased(String(fields["commit"])).resolve();
  },
};
const service = await Service.start(readGateYaml(world.path("gate.yaml")), { means, journal });
const door = await openDoor(service, means, journal);
after(async () => {
  await door.close();
  await service.stop();
  scope.end();
});

function hint(id: string, secret = SECRET) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const body = '{"commit": "whatever somebody says"}';
  const digest = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${digest}` };
  return ask(door.url, "/hooks/generic/shop", { method: "POST", body, headers });
}

test("a hint releases what landed, with a day to the next look; one that is not signed wakes nobody", async () => {
  const first = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
  service.watch();
  await whenReleased(first).promise;
  const second = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) } });
  const refused = [
    await ask(door.url, "/hooks/generic/shop", { method: "POST", body: "{}" }),
    await hint("a", "x".repeat(32)),
  ];
  assert.deepEqual(
    refused.map(({ status, json }) => [status, json["code"]]),
    [
      [401, "hint-unsigned"],
      [401, "hint-signature"],
    ],
  );
  assert.deepEqual((await hint("b")).json, { apiVersion: "sluice/v1", kind: "Hint", repository: "shop" });
  await whenReleased(second).promise;
  const { status, json } = await hint("b");
  assert.deepEqual([status, json["code"]], [409, "hint-replayed"]);
});

test("a push that GitHub, GitLab or Gitea tells of is looked at; what its body says is not", async () => {
  const body = '{"ref": "refs/heads/other", "repository": {"clone_url": "https://elsewhere.example/x.git"}}';
  const digest = createHmac("sha256", SECRET).update(body).digest("hex");
  const forges = [
    ["github", "x-hub-signature-256", `sha256=${digest}`],
    ["gitlab", "x-gitlab-token", SECRET],
    ["gitea", "x-gitea-signature", digest],
  ] as const;
  for (const [n, [forge, header, value]] of forges.entries()) {
    const path = `/hooks/${forge}/shop`;
    const wrong = await ask(door.url, path, { method: "POST", body, headers: { [header]: `${value}x` } });
    assert.deepEqual([wrong.status, wrong.json["code"]], [401, "hint-signature"], forge);
    const landed = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 5 + n }) } });
    const { json } = await ask(door.url, path, { method: "POST", body, headers: { [header]: value } });
    assert.deepEqual(json, { apiVersion: "sluice/v1", kind: "Hint", repository: "shop" });
    await whenReleased(landed).promise;
  }
});
