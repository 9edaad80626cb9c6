/** What a walk of our own says a range holds is what git says, in git's order; and where it cannot know, git is asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { childrenOf } from "../support/children.ts";
import { preview, swapObject } from "../support/preview.ts";
import { repository, type TestRepository } from "../support/repository.ts";

const COMMITS = 60;

/** A small generator of its own, so that each graph is the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

/** Commits with up to three parents among the ones before; marks of fast-import count from 1. */
function randomGraph(repo: TestRepository, seed: number): readonly CommitId[] {
  const next = numbers(seed);
  const commits = Array.from({ length: COMMITS }, (_, at) => {
    const near = () => Math.max(1, at - next(next(4) === 0 ? 20 : 2));
    const parents = at === 0 ? [] : [...new Set([near(), ...(next(3) === 0 ? [near(), near()] : [])])];
    const edges = parents.map((mark, index) => `${index === 0 ? "from" : "merge"} :${mark}\n`).join("");
    const when = 1_793_491_200 + at * 60;
    return `commit refs/heads/main\nmark :${at + 1}\ncommitter Ada <ada@example.com> ${when} +0000\ndata 2\n${at % 10}\n${edges}\n`;
  });
  const file = join(repo.path, ".git/marks");
  repo.git(["fast-import", "--quiet", `--export-marks=${file}`], { input: commits.join("") });
  const marks = readFileSync(file, "utf8").trim().split("\n");
  const ids = new Map(marks.map((line) => line.slice(1).split(" ") as [string, string]));
  return Array.from({ length: COMMITS }, (_, at) => commitId(ids.get(`${at + 1}`) ?? ""));
}

for (const seed of [1, 2]) {
  test(`a range of any graph is git's, in its order (${seed})`, async (t) => {
    const repo = await repository(t);
    const ids = randomGraph(repo, seed);
    const next = numbers(seed + 100);
    const git = await preview(t, repo.path);
    for (let round = 0; round < 8; round += 1) {
      const at = COMMITS - 1 - next(30);
      const head = ids[at] as CommitId;
      // Near the head, as what was released is: there our own walk answers.
      const exclude = Array.from({ length: 1 + next(3) }, () => ids[Math.max(0, at - next(12))] as CommitId);
      const input = [head, ...exclude.map((id) => `^${id}`)].join("\n");
      const listed = repo.git(["rev-list", "--topo-order", "--reverse", "--stdin"], { input: `${input}\n` });
      assert.deepEqual(
        (await git.range(exclude, head)).map((one) => one.id),
        listed === "" ? [] : listed.split("\n"),
        `${head} without ${exclude}`,
      );
    }
  });
}

test("a head that is asked about again and again, against whatever has moved since, has git's range each time", async (t) => {
  const repo = await repository(t);
  const ids = randomGraph(repo, 3);
  const next = numbers(7);
  const git = await preview(t, repo.path);
  for (const at of [COMMITS - 1, COMMITS - 9]) {
    const head = ids[at] as CommitId;
    for (let round = 0; round < 12; round += 1) {
      const exclude = Array.from({ length: 1 + next(2) }, () => ids[Math.max(0, at - next(14))] as CommitId);
      const input = [head, ...exclude.map((id) => `^${id}`)].join("\n");
      const listed = repo.git(["rev-list", "--topo-order", "--reverse", "--stdin"], { input: `${input}\n` });
      const found = (await git.range(exclude, head)).map((one) => one.id);
      assert.deepEqual(found, listed === "" ? [] : listed.split("\n"), `${head} without ${exclude}`);
    }
  }
});

test("a head whose branch has moved on has the range it had, without git, until the branch takes a part of it", async (t) => {
  const repo = await repository(t);
  const root = repo.commit({ files: { a: "1" } });
  const base = repo.commit({ files: { a: "2" } });
  repo.branch("feature", base);
  const feature = [repo.commit({ files: { b: "1" } }), repo.commit({ files: { b: "2" } })];
  const head = feature[1] as CommitId;
  const [git, other] = [await preview(t, repo.path), await preview(t, repo.path)];
  const rangeAfter = async (tip: CommitId, asking = git) => {
    let range: readonly CommitId[] = [];
    const asked = await childrenOf(async () => {
      range = (await asking.range([root, tip, tip], head)).map((one) => one.id);
    });
    return [range, asked];
  };
  assert.deepEqual(await rangeAfter(base), [feature, []]);
  repo.checkout("main");
  for (const a of ["3", "4"]) assert.deepEqual(await rangeAfter(repo.commit({ files: { a } })), [feature, []]);
  assert.deepEqual(await rangeAfter(base, other), [feature, []]);
  repo.branch("faster", feature[0] as CommitId);
  assert.deepEqual(await rangeAfter(repo.commit({ files: { c: "1" } }), other), [[head], ["rev-list"]]);
});

test("what stands below an excluded commit is in no range, though a walk from the head would pass it", async (t) => {
  const repo = await repository(t);
  const adopted = repo.commit({ files: { a: "1" } });
  const below = repo.commit({ files: { a: "2" } });
  const tip = repo.commit({ files: { a: "3" } });
  repo.branch("feature", below);
  const feature = repo.commit({ files: { b: "1" } });
  const merge = repo.merge("main");
  const git = await preview(t, repo.path);
  const rangeOf = async (head: CommitId) => (await git.range([adopted, tip], head)).map((one) => one.id);
  assert.deepEqual(await rangeOf(feature), [feature], "forked below the tip");
  assert.deepEqual(await rangeOf(merge), [feature, merge], "and merged with it");
});

test("pushes one after the other are each the commits that came, against all that was there before", async (t) => {
  const repo = await repository(t);
  const root = repo.commit({ files: { a: "1" } });
  const line = repo.history(300);
  const git = await preview(t, repo.path);
  let released = root;
  for (const size of [1, 2, 40, 200]) {
    const from = line.indexOf(released) + 1;
    const head = line[from + size - 1] as CommitId;
    const ids = (await git.range([root, released, released], head)).map((one) => one.id);
    assert.deepEqual(ids, line.slice(from, from + size));
    assert.deepEqual(await git.firstParents(released, head), ids);
    released = head;
  }
});

test("commits that a doctored one claims are not believed, nor does it stop those that are read before it", async (t) => {
  const repo = await repository(t);
  const base = repo.commit({ files: { a: "1" } });
  const [first, second, third, head] = repo.history(4) as [CommitId, CommitId, CommitId, CommitId];
  swapObject(
    repo,
    second,
    repo.commitTree(repo.git(["rev-parse", `${second}^{tree}`]), [base], { message: "skips one" }),
  );
  assert.equal(repo.git(["rev-list", "--count", head, `^${base}`]), "3", "git itself is fooled");
  const git = await preview(t, repo.path);
  assert.deepEqual(
    (await git.range([second], head).catch((thrown) => thrown)).code,
    "object-corrupt",
    "an excluded commit is read too",
  );
  await assert.rejects(git.range([base], head), { code: "object-corrupt" });
  await assert.rejects(git.firstParents(first, head), { code: "object-corrupt" });
  assert.deepEqual(await git.firstParents(third, head), [head]);
});

test("what a push brings does not depend on what git believes of the excluded side", async (t) => {
  const repo = await repository(t);
  const root = repo.commit({ files: { a: "1" } });
  const [middle, base, first, head] = repo.history(4) as [CommitId, CommitId, CommitId, CommitId];
  const tree = repo.git(["rev-parse", `${middle}^{tree}`]);
  swapObject(repo, middle, repo.commitTree(tree, [root, first], { message: "claims to contain it" }));
  assert.equal(repo.git(["rev-list", head, `^${base}`]), head, "git itself is fooled");
  const git = await preview(t, repo.path);
  assert.deepEqual(
    (await git.range([base], head)).map((one) => one.id),
    [first, head],
  );
});
