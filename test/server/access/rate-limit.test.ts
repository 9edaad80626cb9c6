import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressAccount, openRateLimit } from "../../../src/server/access/rate-limit.ts";

describe("the rate limit", () => {
  it("takes a burst, then says in how many seconds the next one is taken", () => {
    let now = 0;
    const limit = openRateLimit({ perMinute: 30, burst: 3 }, () => now);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limit.take("ada")),
      [0, 0, 0, 2],
    );
    now = 1999;
    assert.equal(limit.take("ada"), 1);
    now = 2000;
    assert.deepEqual([limit.take("ada"), limit.take("ada")], [0, 2]);
  });

  it("counts nobody's requests against somebody else", () => {
    const limit = openRateLimit({ perMinute: 1, burst: 1 }, () => 0);
    assert.deepEqual([limit.take("ada"), limit.take("ada"), limit.take("sam")], [0, 60, 0]);
  });

  it("never saves up more than the burst", () => {
    let now = 0;
    const limit = openRateLimit({ perMinute: 60, burst: 2 }, () => now);
    limit.take("ada");
    now = 3_600_000;
    assert.deepEqual(
      [1, 2, 3].map(() => limit.take("ada")),
      [0, 0, 1],
    );
  });

  it("does not fill again because the clock was set back", () => {
    let now = 1_000_000;
    const limit = openRateLimit({ perMinute: 60, burst: 1 }, () => now);
    assert.equal(limit.take("ada"), 0);
    now = 0;
    assert.ok(limit.take("ada") > 0);
    now = 500;
    assert.equal(limit.take("ada"), 1);
    now = 1500;
    assert.equal(limit.take("ada"), 0, "nor is anybody shut out for as long as it was set back");
  });

  it("remembers no more accounts than it may; whoever comes then shares one", () => {
    const limit = openRateLimit({ perMinute: 60, burst: 1 }, () => 0, 2);
    assert.deepEqual([limit.take("a"), limit.take("b")], [0, 0]);
    assert.deepEqual([limit.take("c"), limit.take("d")], [0, 1], "c and d are one");
    assert.deepEqual([limit.take("a"), limit.take("b")], [1, 1], "and nobody is forgotten who still owes");
  });

  it("forgets who owes nothing when it is full", () => {
    let now = 0;
    const limit = openRateLimit({ perMinute: 60, burst: 1 }, () => now, 2);
    limit.take("a");
    limit.take("b");
    now = 1000;
    assert.deepEqual([limit.take("c"), limit.take("d"), limit.take("c")], [0, 0, 1]);
  });
});

describe("what strangers are counted by", () => {
  for (const [address, account] of [
    ["192.0.2.7", "address 192.0.2.7"],
    ["::ffff:192.0.2.7", "address 192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff::1", "address 2001:db8:1:2::/64"],
    ["2001:db8::1", "address 2001:db8:0:0::/64"],
    ["::1", "address 0:0:0:0::/64"],
    ["fe80::1%eth0", "address fe80:0:0:0::/64"],
  ] as const) {
    it(`is, of ${address}, ${account}`, () => assert.equal(addressAccount(address), account));
  }
});
