/**
 * What a disk holds when the power fails: strace records every write and sync of a process, and the files are built
 * anew from what was synced alone, or from that and some of the rest. (kill -9 cannot show a missing sync: the page
 * cache survives it.)
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export const STRACE_MISSING = (() => {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "strace is not installed or not permitted";
  }
})();

export type TraceEvent =
  | { readonly call: "write"; readonly path: string; readonly data: Buffer; readonly offset: number }
  | { readonly call: "truncate"; readonly path: string; readonly size: number }
  | { readonly call: "sync" | "unlink" | "create"; readonly path: string }
  | { readonly call: "say"; readonly line: string };

export const TRACE_ARGUMENTS = [
  "-f",
  "-y",
  "-s",
  "100000",
  "-e",
  "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink",
];

/** Completed calls on files of `folder`, in order, and what the process said on standard output. */
export function readTrace(trace: string, folder: string): readonly TraceEvent[] {
  const unfinished = new Map<string, string>();
  const events: TraceEvent[] = [];
  for (const line of readFileSync(trace, "latin1").split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const start = / <unfinished \.\.\.>$/.exec(rest);
    if (start !== null) {
      unfinished.set(pid, rest.slice(0, start.index));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const call = resumed === null ? rest : (unfinished.get(pid) ?? "") + rest.slice(resumed[0].length);
    const event = eventOf(call, folder);
    if (event !== null) events.push(event);
  }
  return events;
}

function eventOf(call: string, folder: string): TraceEvent | null {
  const said = /^write\(1<[^>]*>, "(.*)\\n", \d+\) += \d+$/.exec(call);
  if (said !== null) return { call: "say", line: said[1] as string };
  const on = /^(\w+)\((?:\d+<([^>]*)>|(?:AT_FDCWD<[^>]*>, )?"([^"]*)")(?:, )?(.*)\) += (\d+)/.exec(call);
  const path = on?.[2] ?? on?.[3] ?? "";
  if (on === null || (path !== folder && dirname(path) !== folder)) return null;
  const [, name, , , rest = ""] = on;
  if (name === "fsync" || name === "fdatasync") return { call: "sync", path };
  if (name === "unlink") return { call: "unlink", path };
  if (name === "openat") return rest.includes("O_CREAT") ? { call: "create", path } : null;
  if (name === "ftruncate") return { call: "truncate", path, size: Number(rest) };
  const write = /^"(.*)", \d+, (\d+)$/s.exec(rest);
  return write === null ? null : { call: "write", path, data: unescaped(write[1] as string), offset: Number(write[2]) };
}

const ESCAPES: Record<string, number> = { n: 10, t: 9, v: 11, f: 12, r: 13 };

function unescaped(text: string): Buffer {
  const bytes = text.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    String.fromCharCode(/^[0-7]/.test(code) ? Number.parseInt(code, 8) : (ESCAPES[code] ?? code.charCodeAt(0))),
  );
  return Buffer.from(bytes, "latin1");
}

interface File {
  synced: Buffer;
  /** Changes since the last sync, in order. */
  pending: Extract<TraceEvent, { call: "write" | "truncate" }>[];
}

/** A disk with a write cache. */
export class Disk {
  readonly #files = new Map<string, File>();
  #names = new Set<string>();
  #syncedNames = new Set<string>();

  apply(event: TraceEvent): void {
    if (event.call === "say") return;
    if (event.call === "create") {
      if (!this.#names.has(event.path)) this.#files.set(event.path, { synced: Buffer.alloc(0), pending: [] });
      this.#names.add(event.path);
    } else if (event.call === "unlink") this.#names.delete(event.path);
    else if (event.call === "sync" && !this.#files.has(event.path)) this.#syncedNames = new Set(this.#names);
    else {
      const file = this.#files.get(event.path);
      if (file === undefined) return;
      if (event.call === "write" || event.call === "truncate") file.pending.push(event);
      else Object.assign(file, { synced: contentOf(file, () => true), pending: [] });
    }
  }

  /** The files after the power failed now; `survives` says which of the changes that were not synced are there. */
  restore(folder: string, survives: () => boolean): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of this.#syncedNames) {
      const file = this.#files.get(name);
      if (file === undefined || /-shm$|\.lock/.test(name)) continue;
      writeFileSync(join(folder, basename(name)), contentOf(file, survives), { mode: 0o600 });
    }
  }
}

function contentOf({ synced, pending }: File, survives: () => boolean): Buffer {
  let content = Buffer.from(synced);
  for (const change of pending) {
    if (!survives()) continue;
    const size = change.call === "truncate" ? change.size : change.offset + change.data.length;
    if (change.call === "truncate" || size > content.length) {
      const next = Buffer.alloc(size);
      content.copy(next);
      content = next;
    }
    if (change.call === "write") change.data.copy(content, change.offset);
  }
  return content;
}
