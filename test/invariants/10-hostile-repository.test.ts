/** Invariant 10: the repository is hostile: nothing in it is executed, reaches the network, or becomes a path. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { configMap, deployment, document, type Files, policy } from "../support/shop.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });

const HOOKS = [
  "post-checkout",
  "post-commit",
  "pre-push",
  "pre-receive",
  "post-receive",
  "update",
  "reference-transaction",
  "post-index-change",
  "proc-receive",
  "post-merge",
  "pre-auto-gc",
];
const ATTRIBUTES = "* merge=evil filter=evil diff=evil\n";

/** Everything by which a repository makes git start a program, in the clone and at the forge; each writes its name. */
function setTraps(world: World): void {
  mkdirSync(world.path("cage"));
  for (const folder of [join(world.repo.path, ".git"), world.forge]) {
    const script = (name: string): string => {
      const file = join(folder, `canary-${name}`);
      writeFileSync(file, `#!/bin/sh\ntouch '${world.path("cage")}/${name}'\nexit 1\n`);
      chmodSync(file, 0o755);
      return file;
    };
    writeFileSync(join(folder, "included"), `[core]\n\tsshCommand = ${script("included")}\n`);
    const lines = [
      `[core]\n\tfsmonitor = ${script("fsmonitor")}\n\tpager = ${script("pager")}\n\teditor = ${script("editor")}`,
      `\taskPass = ${script("ask-pass")}\n\tgitProxy = ${script("proxy")}\n\talternateRefsCommand = ${script("alternate-refs")}`,
      `[include]\n\tpath = ${join(folder, "included")}`,
      `[uploadpack]\n\tpackObjectsHook = ${script("pack-objects")}`,
      `[merge "evil"]\n\tname = evil\n\tdriver = ${script("merge-driver")} %A`,
      `[filter "evil"]\n\tclean = ${script("clean")}\n\tsmudge = ${script("smudge")}`,
      `[diff "evil"]\n\ttextconv = ${script("textconv")}\n\tcommand = ${script("diff")}`,
      `[credential]\n\thelper = ${script("credential")}`,
      `[gpg]\n\tprogram = ${script("gpg")}\n[gpg "ssh"]\n\tprogram = ${script("gpg-ssh")}\n\tdefaultKeyCommand = ${script("key-command")}`,
    ];
    appendFileSync(join(folder, "config"), `${lines.join("\n")}\n`);
    mkdirSync(join(folder, "hooks"), { recursive: true });
    for (const hook of HOOKS) {
      writeFileSync(join(folder, "hooks", hook), `#!/bin/sh\ntouch '${world.path("cage")}/hook-${hook}'\n`);
      chmodSync(join(folder, "hooks", hook), 0o755);
    }
  }
}

const sung = (world: World): readonly string[] => readdirSync(world.path("cage")).sort();

/** A change that git can only merge by looking into one file, with attributes that name a driver for it. */
function trapped(world: World): { readonly head: string; readonly landed: string } {
  const lines = (first: string, last: string): string => `# ${first}\n${deployment("web", { replicas: 3 })}# ${last}\n`;
  world.push({ files: { ".gitattributes": ATTRIBUTES, [WEB]: lines("a", "z") } });
  const head = world.propose({ files: { [WEB]: lines("a", "y") } });
  const landed = world.push({ from: "origin/main", files: { [WEB]: lines("b", "z") } });
  world.fetch();
  setTraps(world);
  return { head, landed };
}

test("no canary of the repository sings on any command", async (t) => {
  const world = base.copy(t);
  const { head } = trapped(world);
  const gate = ["--config", "../gate.yaml"];
  const key = world.key("lin");
  const runs: Record<string, readonly string[]> = {
    preview: ["check", "--head", head],
    verify: ["verify", "--all", head, "--trust", "trust"],
    approve: ["approve", head, "--target", "prod", "--key", key],
    release: ["release", "prod", ...gate],
    check: ["check", "--head", head, ...gate],
    "trust check": ["trust", "check"],
    "config check": ["config", "check"],
    doctor: ["doctor", ...gate],
    init: ["init"],
  };
  for (const [name, args] of Object.entries(runs)) {
    const { code, stderr } = await world.sluice(args);
    assert.ok(code !== null && code !== 3, `${name} worked: exit ${code} ${stderr}`);
    assert.deepEqual(sung(world), [], name);
  }
  assert.ok(existsSync(join(world.repo.path, ".git/refs/sluice/approvals")), "the approval was written");
});

const IDENTITY = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

test("the same canaries do sing when git itself works in that repository", (t) => {
  const world = base.copy(t);
  const { head, landed } = trapped(world);
  const options = {
    cwd: world.repo.path,
    env: { PATH: process.env["PATH"] ?? "", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...IDENTITY },
  };
  for (const args of [
    ["checkout", head],
    ["merge", landed],
    ["push", "origin", "HEAD:refs/heads/x"],
  ])
    spawnSync("git", args, options);
  for (const name of ["fsmonitor", "merge-driver", "hook-post-checkout", "hook-pre-push", "hook-pre-receive"]) {
    assert.ok(sung(world).includes(name), `${name} of ${sung(world)}`);
  }
});

test("replace refs, grafts and a configured work tree show the gate nothing else than what was pushed", async (t) => {
  const world = base.copy(t);
  const denied = world.propose({ files: { [WEB]: deployment("web", { privileged: true }) }, branch: "denied" });
  const harmless = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) }, branch: "harmless" });
  for (const folder of [world.repo.path, world.forge]) {
    spawnSync("git", ["-C", folder, "update-ref", `refs/replace/${denied}`, harmless]);
    const git = existsSync(join(folder, ".git")) ? join(folder, ".git") : folder;
    mkdirSync(join(git, "info"), { recursive: true });
    writeFileSync(join(git, "info/grafts"), `${denied} ${world.tip()}\n`);
    appendFileSync(join(git, "config"), "[core]\n\tuseReplaceRefs = true\n\tworktree = /\n");
  }
  for (const answer of [await world.preview(denied), await world.check(denied)]) {
    assert.deepEqual([answer.code, reasonCodes(answer.report)], [1, ["policy-denied"]]);
  }
});

/** Commits an entry that git's own tools would not add, into the target's folder; `at` is its name there. */
function proposeEntry(world: World, entry: { mode: string; name: string; id: string }): string {
  const { repo } = world;
  const tree = (path: string) => {
    return repo
      .git(["ls-tree", `origin/main:${path}`])
      .split("\n")
      .map((line) => {
        const [mode = "", , id = "", name = ""] = line.split(/[ \t]/);
        return { mode: mode.replace(/^0/, ""), name, id };
      });
  };
  const put = (path: string, one: { mode: string; name: string; id: string }): string => {
    const entries = [...tree(path).filter(({ name }) => name !== one.name), one];
    const key = ({ mode, name }: { mode: string; name: string }): Buffer =>
      Buffer.from(mode === "40000" ? `${name}/` : name);
    return repo.rawTree(entries.sort((a, b) => Buffer.compare(key(a), key(b))));
  };
  const prod = put("clusters/prod", entry);
  const clusters = put("clusters", { mode: "40000", name: "prod", id: prod });
  const top = put("", { mode: "40000", name: "clusters", id: clusters });
  const commit = repo.commitTree(top, [world.tip()], { author: "ada <ada@example.com>", signWith: world.key("ada") });
  repo.git(["update-ref", "refs/heads/hostile", commit]);
  return commit;
}

test("hostile names in a tree are refused, never used as a path", async (t) => {
  const world = base.copy(t);
  const blob = world.repo.object("blob", configMap("new"));
  for (const name of ["..", ".GIT", "git~1", "a\\..\\b.yaml", "../../../../tmp/escape.yaml"]) {
    const { code, report, stderr } = await world.preview(proposeEntry(world, { mode: "100644", name, id: blob }));
    assert.deepEqual([code, reasonCodes(report)], [1, ["path-hostile"]], `${JSON.stringify(name)} ${stderr}`);
  }
});

test("links and submodules in a target are refused, not followed", async (t) => {
  const world = base.copy(t);
  const outside = world.repo.object("blob", "/etc/passwd");
  for (const entry of [
    { mode: "120000", name: "link.yaml", id: outside },
    { mode: "160000", name: "module", id: world.tip() },
  ]) {
    const { code, report, stderr } = await world.preview(proposeEntry(world, entry));
    assert.deepEqual([code, reasonCodes(report)], [1, ["render-symlink"]], stderr);
  }
});

/** Replaces a path of main by a link. */
function pushLink(world: World, path: string, to: string): void {
  world.repo.git(["checkout", "--quiet", "-B", "link", "origin/main"]);
  rmSync(join(world.repo.path, path), { recursive: true });
  symlinkSync(to, join(world.repo.path, path));
  world.moveMain(world.commit({}));
}

test("policies, trust and configuration that are links out of the tree are absent, and absence passes nothing", async (t) => {
  const absent: Readonly<Record<string, string>> = {
    policies: "no-policies",
    trust: "trust-missing",
    "sluice.yaml": "configuration-absent",
  };
  for (const [path, code] of Object.entries(absent)) {
    const world = base.copy(t);
    mkdirSync(world.path("outside"));
    writeFileSync(world.path("outside/policy.rego"), policy("outside", "deny := set()"));
    writeFileSync(world.path("outside/people.yaml"), document(world.trust()));
    writeFileSync(world.path("outside/sluice.yaml"), world.repo.read("sluice.yaml"));
    pushLink(world, path, path === "sluice.yaml" ? "../outside/sluice.yaml" : "../outside");
    const answer = await world.preview(world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } }));
    assert.equal(answer.code, 3);
    assert.deepEqual(answer.stdout === "" ? [answer.error] : reasonCodes(answer.report), [code]);
  }
});

test("a name of an object that is no name is refused, so that no release has a path of it", async (t) => {
  const world = base.copy(t);
  const names = ["../../etc/passwd", "a/b", "a\u0000b", "x".repeat(4096)];
  const files = names.map((name, n) => [`clusters/prod/new-${n}.yaml`, configMap(name)]);
  const { code, report } = await world.preview(world.propose({ files: Object.fromEntries(files) as Files }));
  const { reasons } = onlyTarget(report);
  assert.deepEqual([code, reasons.map((reason) => reason.code)], [1, names.map(() => "identity-hostile")]);
  for (const [path] of files)
    assert.ok(
      reasons.some(({ message }) => message.startsWith(`${path}:`)),
      path,
    );
  assert.ok(reasons.every(({ message }) => message.length < 1000));
});

/** Nothing that moves a cursor, changes a colour or turns the direction of writing; line feeds are ours. */
const UNPRINTABLE = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

test("escape sequences in names, messages, titles and rules reach no terminal", async (t) => {
  const world = base.copy(t);
  const evil = "\u001b]0;owned\u0007\u001b[2J\u202e\u2028";
  const loud = policy(
    "loud",
    `deny contains {"message": ${JSON.stringify(`m ${evil}`)}, "fix": ${JSON.stringify(`f ${evil}`)}} if input.resource`,
  );
  world.push({ files: { "policies/loud.rego": loud } });
  const named = world.propose({ files: { [`clusters/prod/${evil}.yaml`]: "a: [", [`tools/${evil}`]: "x" } });
  const head = world.propose({
    files: { "clusters/prod/ok.yaml": configMap("ok"), "tools/x": "x" },
    signed: false,
    message: `title ${evil}`,
    author: "\u001b[31mred\u202e <ada@example.com>",
  });
  const runs = [
    await world.sluice(["check", "--head", head]),
    await world.sluice(["check", "--head", named]),
    await world.sluice(["check", "--head", head, "--config", "../gate.yaml"]),
    await world.sluice(["verify", head, "--trust", "trust"]),
    await world.sluice(["log", "list", "--config", "../gate.yaml"]),
    await world.sluice(["log", "show", "2", "--config", "../gate.yaml"]),
    await world.sluice(["check", "--head", `x${evil}`]),
    await world.sluice(["check", "--target", evil]),
    await world.sluice([`chekc${evil}`]),
    await world.sluice(["hold", evil, "--reason", evil, "--config", "../gate.yaml"]),
  ];
  for (const [index, { stdout, stderr }] of runs.entries()) {
    for (const text of [stdout, stderr])
      assert.equal(UNPRINTABLE.exec(text)?.[0], undefined, `run ${index}: ${JSON.stringify(text.slice(0, 800))}`);
  }
  assert.match(runs[0]?.stdout ?? "", /\\u\{1b\}/, "shown in a form that does nothing");
  const { code, report } = await world.preview(head);
  assert.equal(code, 1);
  assert.ok(onlyTarget(report).reasons.length > 0);
});

test("a repository in which others may write is no reason to run anything of its owner's", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  setTraps(world);
  const { code, report } = await world.sluice<{ counts: { verified: number } }>(
    ["verify", head, "--repo", world.forge, "--trust", join(world.repo.path, "trust"), "--format", "json"],
    { cwd: world.folder },
  );
  assert.deepEqual([code, report.counts.verified, sung(world)], [0, 1, []]);
});
