/** An approved landed state with a sequence, and the short-lived signed statement which one is current. */

export interface ReleaseObject {
  /** File name in `objects/`, made by us (object-file.ts). */
  readonly file: string;
  /** Hex. */
  readonly sha256: string;
}

/** `releases/<sequence>/release.json`: one line of canonical JSON as the text of a C2SP signed note under the release key. */
export interface Release {
  readonly v: 1;
  readonly target: string;
  readonly origin: string;
  readonly sequence: number;
  readonly commit: string;
  readonly tree: string;
  /** Index and leaf hash of the `release` entry are not known before it is logged, so the entry commits to this by digest. */
  readonly decision: { readonly id: string; readonly index: number; readonly leafHash: string };
  /** null, or the sequence whose objects a rollback brings back. */
  readonly rollbackOf: number | null;
  /** Sorted by file. */
  readonly objects: readonly ReleaseObject[];
  readonly time: string;
}

/** `head.json`: signed like a release; rejected after `notAfter`. */
export interface Head {
  readonly v: 1;
  readonly target: string;
  readonly origin: string;
  /** 0 when nothing was released yet. */
  readonly latestSequence: number;
  /** SHA-256 (hex) of the exact release.json text, null at sequence 0. */
  readonly manifestDigest: string | null;
  readonly hold: {
    readonly scope: string;
    readonly reason: string;
    readonly by: string;
    readonly since: string;
  } | null;
  readonly issuedAt: string;
  readonly notAfter: string;
  /** The whole checkpoint note that was newest when the head was signed. */
  readonly checkpoint: string;
}

/**
 * Where a release goes; the same layout everywhere (FORMS "Channel"). MUST write `head.json` last and atomically,
 * MUST never overwrite a file of an earlier release with other bytes (`channel-conflict`).
 */
export interface Channel {
  readonly name: string;
  read(path: string): Promise<Uint8Array | null>;
  write(path: string, bytes: Uint8Array): Promise<void>;
}
