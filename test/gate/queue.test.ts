import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Change, ChangeQueue, type QueueLimits } from "../../src/gate/queue.ts";

const LIMITS: QueueLimits = { parallel: 2, waiting: 6, waitingPerAuthor: 4, deadlineMs: 1000 };

function proposal(author: string, number: number, head = "a", isAgain = false): Change {
  return { lane: "proposed", place: `prod refs/pull/${number}`, target: "prod", author, head, isAgain };
}

function landing(target: string): Change {
  return { lane: "landed", place: target, target, author: "", head: "main", isAgain: false };
}

/** A queue whose clock the test moves. */
function openQueue(limits: Partial<QueueLimits> = {}) {
  const time = { now: 0 };
  const queue = new ChangeQueue<Change>({ ...LIMITS, ...limits }, () => time.now);
  return { queue, time };
}

const places = (changes: readonly Change[]): readonly string[] => changes.map((one) => one.place);

test("so many proposals run at once, and the next when one is finished", () => {
  const { queue } = openQueue();
  const all = [1, 2, 3].map((number) => proposal("ada", number));
  for (const one of all) assert.equal(queue.offer(one).kind, "taken");
  assert.deepEqual(queue.start(), all.slice(0, 2));
  assert.deepEqual(queue.start(), []);
  queue.finish(all[0] as Change);
  assert.deepEqual(queue.start(), [all[2]]);
});

test("an author with many proposals does not keep another one's waiting", () => {
  const { queue } = openQueue();
  for (const number of [1, 2, 3, 4]) queue.offer(proposal("robot", number));
  queue.offer(proposal("ada", 5));
  const [first] = queue.start();
  assert.deepEqual(places(queue.running), ["prod refs/pull/1", "prod refs/pull/5"]);
  queue.finish(first as Change);
  assert.deepEqual(places(queue.start()), ["prod refs/pull/2"]);
});

test("a landing begins before every proposal that waits, and none begins beside it", () => {
  const { queue } = openQueue();
  queue.offer(proposal("ada", 1));
  queue.offer(landing("prod"));
  const started = queue.start();
  assert.deepEqual(places(started), ["prod"]);
  queue.finish(started[0] as Change);
  assert.deepEqual(places(queue.start()), ["prod refs/pull/1"]);
});

test("a landing does not wait for proposals that run, however many", () => {
  const { queue } = openQueue();
  queue.offer(proposal("ada", 1));
  queue.offer(proposal("ada", 2));
  queue.start();
  queue.offer(landing("prod"));
  assert.deepEqual(places(queue.start()), ["prod"]);
});

test("landings of one target run one after the other, of two targets together", () => {
  const { queue } = openQueue();
  queue.offer(landing("prod"));
  const [prod] = queue.start();
  assert.equal(queue.offer(landing("prod")).kind, "taken", "what landed since needs another look");
  assert.equal(queue.offer(landing("prod")).kind, "known", "and one is enough");
  queue.offer(landing("staging"));
  assert.deepEqual(places(queue.start()), ["staging"]);
  queue.finish(prod as Change);
  assert.deepEqual(places(queue.start()), ["prod"]);
});

test("a newer head takes the place of an older one that waits, and its turn", () => {
  const { queue } = openQueue({ parallel: 1 });
  queue.offer(proposal("max", 9));
  queue.start();
  const old = proposal("ada", 1, "old");
  queue.offer(old);
  queue.offer(proposal("ada", 2));
  assert.deepEqual(queue.offer(proposal("ada", 1, "new")), { kind: "taken", superseded: old, running: null });
  assert.deepEqual(
    queue.waiting.map((one) => one.head),
    ["new", "a"],
  );
});

test("a newer head of what runs names it, and waits until it has ended", () => {
  const { queue } = openQueue();
  const old = proposal("ada", 1, "old");
  queue.offer(old);
  queue.start();
  assert.deepEqual(queue.offer(proposal("ada", 1, "new")), { kind: "taken", superseded: null, running: old });
  assert.deepEqual(queue.start(), []);
  queue.finish(old);
  assert.equal(queue.start()[0]?.head, "new");
});

test("the same head twice waits once", () => {
  const { queue } = openQueue();
  const first = proposal("ada", 1);
  queue.offer(first);
  assert.deepEqual(queue.offer(proposal("ada", 1)), { kind: "known", waiting: first });
});

test("a full queue takes no more proposals, of one author earlier than of all, but every landing", () => {
  const { queue } = openQueue();
  for (const number of [1, 2, 3, 4]) assert.equal(queue.offer(proposal("robot", number)).kind, "taken");
  assert.equal(queue.offer(proposal("robot", 5)).kind, "full", "four of one author");
  assert.equal(queue.offer(proposal("ada", 6)).kind, "taken");
  assert.equal(queue.offer(proposal("ada", 7)).kind, "taken");
  assert.equal(queue.offer(proposal("max", 8)).kind, "full", "six together");
  assert.equal(queue.offer(proposal("ada", 7, "newer")).kind, "taken", "a newer head takes no more room");
  assert.equal(queue.offer(landing("prod")).kind, "taken");
});

test("what was judged before waits for all that was not, whoever wrote it, and takes no room from it", () => {
  const { queue } = openQueue({ parallel: 1 });
  const again = [1, 2, 3, 4].map((number) => proposal("robot", number, "a", true));
  for (const one of again) assert.equal(queue.offer(one).kind, "taken");
  assert.equal(queue.offer(proposal("robot", 5, "a", true)).kind, "full", "four of one author");
  const first = [proposal("ada", 6), proposal("robot", 7), proposal("robot", 8)];
  for (const one of first) assert.equal(queue.offer(one).kind, "taken");
  assert.deepEqual(queue.offer(proposal("robot", 2, "newer")), { kind: "taken", superseded: again[1], running: null });
  const order: string[] = [];
  for (let [next] = queue.start(); next !== undefined; [next] = queue.start()) {
    order.push(`${next.place.slice(-1)}${next.head}`);
    queue.finish(next);
  }
  assert.deepEqual(order, ["2newer", "6a", "7a", "8a", "1a", "3a", "4a"]);
});

test("a proposal whose time is up is named once, a landing never", () => {
  const { queue, time } = openQueue();
  const slow = proposal("ada", 1);
  queue.offer(slow);
  queue.start();
  queue.offer(landing("prod"));
  queue.start();
  assert.equal(queue.nextDeadline(), 1000);
  time.now = 999;
  assert.deepEqual(queue.overdue(), []);
  time.now = 1000;
  assert.deepEqual(queue.overdue(), [slow]);
  assert.deepEqual(queue.overdue(), []);
  assert.equal(queue.nextDeadline(), null);
  assert.ok(queue.running.includes(slow), "it has its place until it is finished");
});

test("whatever is offered and finished: within its bounds, one a place, nothing lost", () => {
  const offer = fc.record({
    kind: fc.constant("offer" as const),
    lane: fc.constantFrom("landed" as const, "proposed" as const),
    place: fc.integer({ min: 0, max: 9 }),
    author: fc.constantFrom("ada", "robot"),
    head: fc.constantFrom("a", "b"),
    isAgain: fc.boolean(),
  });
  const finish = fc.record({ kind: fc.constant("finish" as const), which: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(offer, finish), { maxLength: 80 }), (steps) => {
      const { queue } = openQueue();
      const open = new Set<Change>();
      for (const step of steps) {
        if (step.kind === "finish") {
          const running = queue.running[step.which];
          if (running === undefined) continue;
          queue.finish(running);
          open.delete(running);
        } else {
          const { lane, place, author, head, isAgain } = step;
          const change = lane === "landed" ? landing(`t${place % 3}`) : proposal(author, place, head, isAgain);
          const answer = queue.offer(change);
          if (answer.kind === "taken") open.add(change);
          if (answer.kind === "taken" && answer.superseded !== null) open.delete(answer.superseded);
        }
        queue.start();
        const proposals = queue.running.filter((one) => one.lane === "proposed");
        const waiting = queue.waiting.filter((one) => one.lane === "proposed");
        assert.ok(proposals.length <= LIMITS.parallel && waiting.length <= 2 * LIMITS.waiting);
        for (const all of [queue.running, queue.waiting]) {
          const names = all.map((one) => `${one.lane} ${one.place}`);
          assert.equal(new Set(names).size, names.length, "one a place");
        }
        assert.deepEqual(new Set([...queue.running, ...queue.waiting]), open, "nothing lost");
      }
      while (queue.running.length > 0) {
        for (const one of queue.running) queue.finish(one);
        queue.start();
      }
      assert.deepEqual(queue.waiting, [], "everything has its turn");
    }),
  );
});
