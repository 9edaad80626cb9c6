/** What differs between two readings of a trust folder: who came and went, with which keys. All lists are sorted. */
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import type { Owner, Trust, TrustedKey } from "./trust.ts";
import { comparableFingerprint } from "./verify.ts";

/** `person:ada`, `robot:renovate`, `forge:github`: an id is one person's within its class only. */
type OwnerName = string;

export interface OwnedKey {
  readonly owner: OwnerName;
  /** As verifications name it. */
  readonly key: string;
}

export interface TrustDifference {
  readonly owners: {
    readonly added: readonly OwnerName[];
    readonly removed: readonly OwnerName[];
    /** Still listed, so that old signatures show the name. */
    readonly left: readonly OwnerName[];
    readonly roles: readonly {
      readonly owner: OwnerName;
      readonly was: readonly string[];
      readonly is: readonly string[];
    }[];
    /** Something else about them: addresses, accounts, what they may. */
    readonly changed: readonly OwnerName[];
  };
  readonly keys: {
    /** Listed now, or revoked no more. */
    readonly added: readonly OwnedKey[];
    /** No longer listed. */
    readonly removed: readonly OwnedKey[];
    /** Listed, and revoked now: by the folder or by gate.yaml. */
    readonly revoked: readonly OwnedKey[];
  };
  readonly authorities: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

/** `before` null: nobody was trusted. */
export function trustDifference(before: Trust | null, after: Trust): TrustDifference {
  const [was, is] = [listing(before), listing(after)];
  return {
    owners: ownersBetween(was.owners, is.owners),
    keys: {
      added: [...is.keys].flatMap(([name, one]) =>
        !one.isRevoked && was.keys.get(name)?.isRevoked !== false ? [plain(one)] : [],
      ),
      removed: missingFrom(is.keys, was.keys).map(plain),
      revoked: [...is.keys].flatMap(([name, one]) =>
        one.isRevoked && was.keys.get(name)?.isRevoked === false ? [plain(one)] : [],
      ),
    },
    authorities: {
      added: missingFrom(was.authorities, is.authorities),
      removed: missingFrom(is.authorities, was.authorities),
    },
  };
}

interface ListedKey extends OwnedKey {
  readonly isRevoked: boolean;
}

interface Listing {
  readonly owners: ReadonlyMap<OwnerName, Owner>;
  readonly keys: ReadonlyMap<string, ListedKey>;
  readonly authorities: ReadonlyMap<string, string>;
}

function listing(trust: Trust | null): Listing {
  const { owners = [], keys = [], revokedKeys = [], sshAuthorities = [], x509Authorities = [] } = trust ?? {};
  const revoked = new Set(revokedKeys.map(comparableFingerprint));
  const authorities = [...sshAuthorities, ...x509Authorities].flatMap(({ id }) => (id === undefined ? [] : [id]));
  return {
    owners: sorted(owners.map((one) => [ownerName(one), one])),
    keys: sorted(keys.map((key) => listedKey(key, revoked)).map((one) => [`${one.owner} ${one.key}`, one])),
    authorities: sorted(authorities.map((id) => [id, id])),
  };
}

function listedKey({ owner, fingerprint, terms }: TrustedKey, revoked: ReadonlySet<string>): ListedKey {
  const isRevoked = terms.revoked !== null || revoked.has(comparableFingerprint(fingerprint));
  return { owner: ownerName(owner), key: fingerprint, isRevoked };
}

function ownerName({ class: kind, id }: Owner): OwnerName {
  return `${kind}:${id}`;
}

function plain({ owner, key }: ListedKey): OwnedKey {
  return { owner, key };
}

function sorted<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function missingFrom<T>(some: ReadonlyMap<string, unknown>, others: ReadonlyMap<string, T>): readonly T[] {
  return [...others].flatMap(([name, one]) => (some.has(name) ? [] : [one]));
}

function ownersBetween(was: Listing["owners"], is: Listing["owners"]): TrustDifference["owners"] {
  const both = [...is].flatMap(([owner, now]) => {
    const then = was.get(owner);
    return then === undefined ? [] : [{ owner, then, now }];
  });
  const roles = both.map(({ owner, then, now }) => ({ owner, was: [...then.roles].sort(), is: [...now.roles].sort() }));
  return {
    added: [...is.keys()].filter((name) => !was.has(name)),
    removed: [...was.keys()].filter((name) => !is.has(name)),
    left: [...is].flatMap(([name, { left }]) =>
      left !== null && (was.get(name)?.left ?? null) === null ? [name] : [],
    ),
    roles: roles.filter(({ was: then, is: now }) => then.join("\n") !== now.join("\n")),
    changed: both.filter(({ then, now }) => others(then) !== others(now)).map(({ owner }) => owner),
  };
}

/** All but what has a list of its own. */
function others({ roles: _, left: __, ...rest }: Owner): string {
  return canonicalJson(rest as unknown as JsonValue);
}
