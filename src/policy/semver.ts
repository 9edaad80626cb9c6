/** Semantic versions as OPA reads them: SemVer 2.0.0 with an optional leading `v` (internal/semver of OPA 1.22). */
export interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly preRelease: string;
}

const VERSION =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const INT64_MAX = 2n ** 63n - 1n;

/** null for anything that is not a version; numbers of a pre-release have no leading zero either. */
export function parseVersion(text: string): Version | null {
  const [, major, minor, patch, preRelease = ""] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return null;
  if (preRelease.split(".").some((part) => /^0\d+$/.test(part))) return null;
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const;
  return numbers.some((number) => number > INT64_MAX) ? null : { numbers: [...numbers], preRelease };
}

/** SemVer 2.0.0 section 11; build metadata does not count. */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  for (const place of [0, 1, 2] as const) {
    if (a.numbers[place] !== b.numbers[place]) return a.numbers[place] < b.numbers[place] ? -1 : 1;
  }
  if (a.preRelease === b.preRelease) return 0;
  if (a.preRelease === "" || b.preRelease === "") return a.preRelease === "" ? 1 : -1;
  return comparePreReleases(a.preRelease.split("."), b.preRelease.split("."));
}

function comparePreReleases(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let place = 0; place < Math.min(a.length, b.length); place++) {
    const order = compareParts(a[place] ?? "", b[place] ?? "");
    if (order !== 0) return order;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

function compareParts(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const numeric = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
  if (numeric[0]) return BigInt(a) < BigInt(b) ? -1 : 1;
  return a < b ? -1 : 1;
}
