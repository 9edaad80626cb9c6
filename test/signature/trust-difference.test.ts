/** Who came and went between two readings of a trust folder, with which keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Owner, SshTrustedKey, Trust } from "../../src/signature/trust.ts";
import { trustDifference } from "../../src/signature/trust-difference.ts";

const RETIRED = { at: 0, reason: "retired" } as const;
const NONE = { added: [], removed: [] };

function owner(id: string, change: Partial<Owner> = {}): Owner {
  const nothing = { emails: [], roles: [], accounts: {}, left: null, mayChange: [], mayCarry: [] };
  return { ...nothing, id, class: "person", ...change };
}

function key(of: Owner, fingerprint: string, revoked = false): SshTrustedKey {
  const terms = { from: null, until: null, touch: false, revoked: revoked ? RETIRED : null };
  return { format: "ssh", owner: of, fingerprint, blob: new Uint8Array(), key: null as never, terms };
}

function trust(owners: readonly Owner[], keys: Trust["keys"], revokedKeys: readonly string[] = []): Trust {
  return { owners, keys, revokedKeys, change: null, digest: "" };
}

test("people who come and go are told by class and name, whoever has the same name as a robot", () => {
  const before = trust([owner("ada"), owner("max"), owner("lin")], []);
  const robot = owner("ada", { class: "robot" });
  const after = trust([owner("lin", { left: 5 }), robot, owner("ada", { roles: ["platform"] })], []);
  assert.deepEqual(trustDifference(before, after), {
    owners: {
      added: ["robot:ada"],
      removed: ["person:max"],
      left: ["person:lin"],
      roles: [{ owner: "person:ada", was: [], is: ["platform"] }],
      changed: [],
    },
    keys: { ...NONE, revoked: [] },
    authorities: NONE,
  });
});

test("a key that is revoked is not removed, and one that counts again is added", () => {
  const ada = owner("ada");
  const before = trust(
    [ada],
    [key(ada, "SHA256:a"), key(ada, "SHA256:b"), key(ada, "SHA256:c"), key(ada, "SHA256:d", true)],
  );
  const after = trust(
    [ada],
    [key(ada, "SHA256:d"), key(ada, "SHA256:b", true), key(ada, "SHA256:c"), key(ada, "SHA256:e", true)],
    ["SHA256:c"],
  );
  const of = (...keys: readonly string[]) => keys.map((one) => ({ owner: "person:ada", key: one }));
  assert.deepEqual(trustDifference(before, after).keys, {
    added: of("SHA256:d"),
    removed: of("SHA256:a"),
    revoked: of("SHA256:b", "SHA256:c"),
  });
});

test("a key that moves to another person is removed from the one and added to the other", () => {
  const [ada, max] = [owner("ada"), owner("max")];
  const { keys } = trustDifference(
    trust([ada, max], [key(ada, "SHA256:a")]),
    trust([ada, max], [key(max, "SHA256:a")]),
  );
  assert.deepEqual(
    [keys.added, keys.removed],
    [[{ owner: "person:max", key: "SHA256:a" }], [{ owner: "person:ada", key: "SHA256:a" }]],
  );
});

test("before there was a folder nobody was trusted; between two readings of one nothing differs", () => {
  const ada = owner("ada", { emails: ["ada@example.com"] });
  const one = {
    ...trust([ada], [key(ada, "SHA256:a")]),
    sshAuthorities: [{ id: "ca", fingerprint: "SHA256:x", principals: "*", terms: key(ada, "").terms, owners: null }],
  };
  const first = trustDifference(null, one);
  assert.deepEqual([first.owners.added, first.keys.added.length, first.authorities.added], [["person:ada"], 1, ["ca"]]);
  const nothing = {
    owners: { ...NONE, left: [], roles: [], changed: [] },
    keys: { ...NONE, revoked: [] },
    authorities: NONE,
  };
  assert.deepEqual(trustDifference(one, one), nothing);
  const moved = trustDifference(one, {
    ...one,
    owners: [owner("ada", { emails: ["a@example.com"] })],
    sshAuthorities: [],
  });
  assert.deepEqual([moved.owners.changed, moved.authorities.removed], [["person:ada"], ["ca"]]);
});
