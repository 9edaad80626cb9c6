/**
 * What is never released, whatever was decided. The gate makes these a part of every decision, so that a proposal is
 * denied for what its release would be refused for; buildRelease() asks again, of the bytes that it is given.
 */
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { MAXIMUM_NOTE_BYTES } from "../log/note.ts";
import type { Resource } from "../render/resource.ts";
import { isPlainSecret } from "../render/secrets.ts";
import { releaseObjects } from "./manifests.ts";
import type { ReleaseObject } from "./release.ts";

/** At most this share of the last release's objects goes away without a permit. */
const MAXIMUM_PRUNED_PERCENT = 30;
/** The objects of one release together. */
export const MAXIMUM_RELEASE_BYTES = 256 * 1024 * 1024;
/** What release.json says beside its objects, and its signature. */
const REST_OF_NOTE_BYTES = 8 * 1024;

/** What sluice.yaml permits now, as read at the judge (`currentPermit()`); null where nothing is permitted. */
export interface Permit {
  readonly prune: number;
  readonly empty: boolean;
}

export interface ReleaseContent {
  readonly target: string;
  /** The objects of the last release, or of the state that is compared with. */
  readonly before: readonly Pick<ReleaseObject, "file">[];
  readonly resources: readonly Resource[];
  readonly permit: Permit | null;
}

export interface ContentRefusal {
  readonly code: "release-plain-secret" | "release-empty" | "release-mass-prune" | "release-too-large";
  readonly message: string;
  readonly fix: string;
}

/** Every reason why these objects are not released, plain Secrets first; empty where there is none. */
export function refuseContent(content: ReleaseContent): readonly ContentRefusal[] {
  return [...plainSecrets(content.resources), ...massEffects(content), ...tooLarge(content)];
}

/** Each file once: its name says which, its values are nobody's business. */
export function plainSecrets(resources: readonly Resource[]): readonly ContentRefusal[] {
  const files = new Set(resources.filter(({ object }) => isPlainSecret(object)).map(({ origin }) => origin.file));
  return [...files].sort().map((file) => ({
    code: "release-plain-secret",
    message: `${file} holds a plain Secret; it is not released.`,
    fix: "encrypt it with SOPS or kubeseal, or take it out of the repository",
  }));
}

/** Counts are of objects by identity; an object that only changes is not pruned. */
function massEffects({ target, before, resources, permit }: ReleaseContent): readonly ContentRefusal[] {
  if (resources.length === 0) {
    const message = `The release of ${target} would hold no object at all.`;
    const fix = `land \`permit: {empty: true, until: DATE}\` for ${target} in sluice.yaml first`;
    return permit?.empty === true ? [] : [{ code: "release-empty", message, fix }];
  }
  const kept = new Set(releaseObjects(resources).map((object) => object.file));
  const pruned = before.filter((object) => !kept.has(object.file)).length;
  const allowed = Math.max(permit?.prune ?? 0, MAXIMUM_PRUNED_PERCENT);
  if (pruned * 100 <= before.length * allowed) return [];
  const percent = Math.ceil((pruned * 100) / before.length);
  const message = `The release of ${target} would remove ${pruned} of ${before.length} objects.`;
  const fix = `land \`permit: {prune: ${percent}, until: DATE}\` for ${target} in sluice.yaml first`;
  return [{ code: "release-mass-prune", message, fix }];
}

function tooLarge({ target, resources }: ReleaseContent): readonly ContentRefusal[] {
  const bytes = resources.reduce((sum, { canonical }) => sum + Buffer.byteLength(canonical), 0);
  const listed = canonicalJson(releaseObjects(resources) as unknown as JsonValue).length;
  if (bytes <= MAXIMUM_RELEASE_BYTES && listed <= MAXIMUM_NOTE_BYTES - REST_OF_NOTE_BYTES) return [];
  const message = `The release of ${target} would hold ${resources.length} objects of ${bytes} bytes together.`;
  return [{ code: "release-too-large", message, fix: "split the target into several, each with a folder of its own" }];
}
