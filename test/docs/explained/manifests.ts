/** Codes of manifests: the snippets of each example, and the files it speaks of, put to `sluice check` as a proposal. */
import { check } from "../../../src/cli/check.ts";
import type { CheckReport } from "../../../src/gate/json/check.ts";
import { runHere } from "../../support/in-process.ts";
import { deployment, document, type Files } from "../../support/shop.ts";
import type { Scope } from "../../support/temp.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../../support/world.ts";
import { type Made, made, quoted } from "./entry.ts";

const PLACE = "clusters/prod/new";
const head = (kind = "ConfigMap", name = "new"): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: apps}\n`;
const under = (snippet: string): string => `${head()}spec:\n  ${snippet}\n`;
const json = (member: string): string =>
  `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "apps"}, "spec": ${member}}`;
const aliases = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(", ")}]`);
const BOMB = `${head()}l0: &l0 [a]\n${aliases.join("\n")}\n`;
const DEEP = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;

export async function manifestTable(scope: Scope) {
  const base = await makeWorld(scope, { adopt: false, target: { approvals: { count: 0 } } });

  async function proposed(scope: Scope, files: Files): Promise<CheckReport> {
    const world = base.copy(scope);
    return previewed(world, world.propose({ files }));
  }

  /** Each of these texts is a file of its own in one proposal, and each is met by what is said of its place. */
  async function placed(
    scope: Scope,
    texts: readonly string[],
    ending = "yaml",
  ): Promise<readonly (readonly string[])[]> {
    const paths = texts.map((_, n) => `clusters/prod/new-${n}.${ending}`);
    const report = await proposed(scope, Object.fromEntries(texts.map((text, n) => [paths[n] ?? "", text])));
    const { reasons } = onlyTarget(report);
    return paths.map((path) => reasons.filter(({ message }) => message.startsWith(`${path}:`)).map(({ code }) => code));
  }

  const texts = (ending: string, ...all: readonly string[]): Made => made((test) => placed(test, all, ending));
  const yaml = (...all: readonly string[]): Made => texts("yaml", ...all);
  const files = (...all: readonly Files[]): Made =>
    made((test) => Promise.all(all.map(async (one) => reasonCodes(await proposed(test, one)))));

  /** Every snippet between backticks of the example itself. */
  const snippets = (write: (snippet: string) => string, ending = "yaml"): Made =>
    made((test, example) => placed(test, quoted(example).map(write), ending));

  return {
    "yaml-malformed": yaml(under("\ta: b"), under('a: "b'), under("a: b\u0001"), under("a: *nothing")),
    "yaml-ambiguous": snippets((snippet) => `defaults: &defaults {a: b}\n${under(snippet)}`),
    "yaml-duplicate-key": yaml(deploymentYaml("image: a\n        image: b")),
    "yaml-key": made((test, example) => placed(test, [...quoted(example), "[a, b]: list"].map(under))),
    "yaml-tag": snippets((snippet) => under(`a: ${snippet} x`.replace("= x", "="))),
    "yaml-alias-bomb": yaml(BOMB),
    "yaml-too-deep": yaml(DEEP),
    "yaml-too-large": yaml("# a dump\n".repeat(2_000_000)),
    "json-malformed": texts("json", json("{},"), `${json("{}")} x`, json('"\\ud800"')),
    "json-too-deep": texts("json", DEEP),
    "json-duplicate-key": snippets(json, "json"),
    "json-number": snippets(json, "json"),
    "json-too-large": texts("json", `"${"a".repeat(18_000_000)}"`),
    "render-symlink": made(async (test) => {
      const world = base.copy(test);
      const link = world.repo.git(["hash-object", "-w", "--stdin"], { input: "/etc/passwd" });
      world.repo.git(["checkout", "--quiet", "-B", "link", "origin/main"]);
      world.repo.git(["update-index", "--cacheinfo", `120000,${link},clusters/prod/web.yaml`]);
      const commit = world.repo.commitTree(world.repo.git(["write-tree"]), ["HEAD"], {
        author: "ada <ada@example.com>",
        signWith: world.key("ada"),
      });
      return [reasonCodes(await previewed(world, commit))];
    }),
    "path-not-rendered": made(async (test, example) => [
      reasonCodes(await proposed(test, Object.fromEntries(quoted(example).map((path) => [path, "echo hello\n"])))),
    ]),
    "not-an-object": yaml(
      "replicas: 3\n",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: new-, namespace: apps}\n",
    ),
    "list-ambiguous": yaml(`${head()}items:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: other}}\n`),
    "identity-hostile": snippets(
      (line) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {${line.replace("metadata.", "")}, namespace: apps}\n`,
    ),
    "namespace-claimed": yaml(
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: new, namespace: apps}\n",
    ),
    "duplicate-identity": files({ "clusters/prod/b.yaml": deployment("web") }),
    "workload-malformed": yaml(deploymentYaml("", "containers: {web: {image: a}}")),
    "release-plain-secret": files({ [`${PLACE}.yaml`]: `${head("Secret")}stringData: {password: hunter2}\n` }),
    "path-not-covered": files({ "tools/run.sh": "echo hello\n" }),
    "release-empty": made(async (test) => {
      const world = base.copy(test);
      world.push({ files: { "sluice.yaml": ignoring(world, "clusters/live/**") } });
      world.repo.git(["checkout", "--quiet", "-B", "moved", "origin/main"]);
      world.repo.git(["mv", "clusters/prod", "clusters/live"]);
      return [reasonCodes(await previewed(world, world.commit({ branch: "moved" })))];
    }),
    "release-mass-prune": files({ "clusters/prod/web.yaml": null, "clusters/prod/api.yaml": null }),
  } as const;
}

/** What `sluice check` says of a head, in this process: the start of Node would be most of the time. */
export async function previewed(world: World, head: string): Promise<CheckReport> {
  const args = ["--head", head, "--format", "json"];
  const { stdout, stderr } = await runHere(check, args, world.repo.path, Date.now, world.path("home"));
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as CheckReport;
}

function ignoring(world: World, path: string): string {
  const now = JSON.parse(world.repo.git(["show", "origin/main:sluice.yaml"])) as { ignore: readonly string[] };
  return document({ ...now, ignore: [...now.ignore, path] });
}

function deploymentYaml(
  container: string,
  containers = `containers:\n      - name: web\n        ${container}`,
): string {
  const labels = "{app: web}";
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: new, namespace: apps}
spec:
  selector: {matchLabels: ${labels}}
  template:
    metadata: {labels: ${labels}}
    spec:
      ${containers}
`;
}
