/**
 * The gate's own copy of a repository: fetched by URL with explicit references, checked by git while it arrives, and kept.
 * `refs/x` of the source lies here as `refs/source/x`, so that no name of the source means anything to git itself.
 */
import { SluiceError } from "../lib/errors.ts";
import { fetchApprovals, listApprovals, type Refusals } from "./approval-fetch.ts";
import { FETCH_DEADLINE_MS, MAX_MERGE_OUTPUT_BYTES, MAX_REF_ENTRIES, QUICK_DEADLINE_MS } from "./limits.ts";
import type { CommitId, ObjectFormat } from "./object.ts";
import { openReader } from "./objects.ts";
import { OwnRepository, type OwnRepositoryParts } from "./own-repository.ts";
import { type GitAnswer, runGit } from "./process.ts";
import { fetchFailed, type GitCredentials, type Remote, remoteEnvironment, requireRemote } from "./remote.ts";
import type { GitRepository, RefEntry, UnfetchedApproval } from "./repository.ts";
import { listServed, openServable, serveLocally } from "./served.ts";
import { digestOfRefs, listRemote, wantedRefs } from "./source-listing.ts";
import { APPROVAL_REFS, FileRefs, isRefName, type SourceRefs } from "./source-refs.ts";
import { openPersistentStore } from "./store.ts";

/** `--atomic`: all references move or none does. `--refmap=`: nothing but the refspecs given here. */
const FETCH = [
  "fetch",
  "--quiet",
  "--atomic",
  "--no-tags",
  "--no-recurse-submodules",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--refmap=",
];

export interface GateOptions {
  /** `https://…`, `http://127.0.0.1…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path; never with a password. */
  readonly url: string;
  /** Where the persistent bare repository is kept, below the operator's data folder; created when missing. */
  readonly folder: string;
  /** Branch names without `refs/heads/`. */
  readonly branches: readonly string[];
  readonly credentials?: GitCredentials;
  /** Further references to fetch: whole names, at most one part of each may be a star. */
  readonly extraRefs?: readonly string[];
  /** How the source hashes; of a local path it is read, of any other URL it must be said when it is not sha1. */
  readonly objectFormat?: ObjectFormat;
}

export type GateRepository = GitRepository & {
  readonly source: SourceRefs;
  /** Process id of the running cat-file; null when none runs. */
  readonly readerPid: number | null;
  /**
   * Brings branches, approvals and extra references up to date; gone ones are removed. Calls wait for one another.
   * @throws SluiceError `fetch-failed` (retryable), `unknown-revision` (a configured branch does not exist there)
   */
  fetch(): Promise<void>;
  /**
   * As fetch(), but a configured branch that does not exist there is forgotten here, and does not keep the others back.
   * Asks first what there is, and fetches nothing where all of that is here. Answers the names of such branches.
   * @throws SluiceError `fetch-failed` (retryable)
   */
  fetchPresent(): Promise<readonly string[]>;
  /**
   * Makes sure that a commit is here, asking the URL for exactly that id when it is not.
   * @throws SluiceError `head-not-fetchable`, `fetch-failed`, `not-a-commit`
   */
  fetchCommit(id: CommitId): Promise<void>;
  /** Ends every fetch that runs, and lets none begin: whoever waits for one hears of it. What is here can still be read. */
  interrupt(): void;
};

/** @throws SluiceError `url-refused`, `store-foreign`, `git-missing`, `git-too-old`; for a local path also what openSource throws */
export async function openGateRepository(options: GateOptions): Promise<GateRepository> {
  const remote = requireRemote(options.url);
  const refs = [...options.branches.map(branchRef), ...(options.extraRefs ?? [])];
  const refspecs = refs.map(refspec);
  const environment = remoteEnvironment(remote, options.credentials ?? null);
  const objectFormat =
    remote.localPath === null ? (options.objectFormat ?? "sha1") : openServable(remote.localPath).objectFormat;
  const store = openPersistentStore(options.folder, { objectFormat, alternates: [], protocol: remote.protocol });
  const source = new FileRefs({ gitFolder: store.folder, commonFolder: store.folder, objectFormat, mirrored: true });
  const reader = await openReader(store);
  const wanted = [...refs, `${APPROVAL_REFS}*`];
  return new FetchingRepository(
    { store, source, ...reader },
    { remote, refspecs, environment, branches: options.branches, wanted },
  );
}

function branchRef(name: string): string {
  if (!name.includes("*")) return `refs/heads/${name}`;
  throw new SluiceError("url-refused", `${JSON.stringify(name)} is not the name of one branch.`);
}

function refspec(name: string): string {
  const plain = name.replace("*", "x");
  if (!isRefName(plain))
    throw new SluiceError("url-refused", `${JSON.stringify(name)} is not the name of a reference to fetch.`);
  return `+${name}:${name.replace(/^refs\//, "refs/source/")}`;
}

/** What git is asked to do that changes references here. */
const WRITES = ["fetch", "update-ref"];

interface FetchPlan {
  readonly remote: Remote;
  readonly refspecs: readonly string[];
  readonly branches: readonly string[];
  /** Names of all that a fetch brings, approvals too; a star stands for anything. */
  readonly wanted: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** All that the source listed was here then. Nobody else writes references to this store. */
interface Settled {
  readonly listing: string;
  readonly gone: readonly string[];
}

class FetchingRepository extends OwnRepository implements GateRepository {
  readonly #parts: OwnRepositoryParts;
  readonly #plan: FetchPlan;
  readonly #ending = new AbortController();
  readonly #refusedApprovals: Refusals = new Map();
  #unfetched: readonly UnfetchedApproval[] = [];
  #settled: Settled | null = null;
  /** By prefix, as they were listed since git wrote here last: each look asks again for what seldom changes. */
  #listed = new Map<string, readonly RefEntry[]>();
  #last: Promise<void> = Promise.resolve();

  constructor(parts: OwnRepositoryParts, plan: FetchPlan) {
    super(parts);
    this.#parts = parts;
    this.#plan = plan;
  }

  override get unfetched(): readonly UnfetchedApproval[] {
    return this.#unfetched;
  }

  override async refs(prefix: string, limit: number): Promise<readonly RefEntry[]> {
    const memory = this.#listed; // of now: what git writes while this lists must not be hidden by it
    const known = memory.get(prefix);
    if (known !== undefined && known.length <= limit) return known;
    const listed = await super.refs(prefix, limit);
    memory.set(prefix, listed);
    return listed;
  }

  interrupt(): void {
    this.#ending.abort();
  }

  async fetch(): Promise<void> {
    const [missing] = await this.#inTurn(() => this.#atUrl((url) => this.#beside(url, this.#fetchAll(url))));
    if (missing === undefined) return;
    throw new SluiceError("unknown-revision", `Branch ${missing} does not exist at the configured URL.`);
  }

  fetchPresent(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const listed = await this.#listThere();
      const listing = listed === null ? null : digestOfRefs(listed);
      if (listing !== null && this.#settled?.listing === listing) return this.#settled.gone;
      const gone = await this.#atUrl((url) => this.#beside(url, this.#fetchRest(url), listed));
      // What moved between the two, and what git refused, is not here as it was listed: then the next call fetches too.
      this.#settled = listing !== null && (await this.#digestHere()) === listing ? { listing, gone } : null;
      return gone;
    });
  }

  async fetchCommit(id: CommitId): Promise<void> {
    if ((await this.#parts.objects.identify(id)) === "missing") {
      await this.#inTurn(() => this.#atUrl((url) => this.#fetchOne(url, id)));
    }
    await this.commit(id);
  }

  /** The approvals, once the branches are here: what is wrong with one is told, and keeps nothing else back. */
  async #beside<T>(url: string, branches: Promise<T>, there: readonly RefEntry[] | null = null): Promise<T> {
    const run = (args: readonly string[], input: string) => this.#git(args, QUICK_DEADLINE_MS, input);
    const source = { run, fetch: FETCH, url };
    const approvals = there?.filter(({ name }) => name.startsWith(APPROVAL_REFS)) ?? listApprovals(source);
    const [fetched, listed] = await Promise.allSettled([branches, approvals]);
    if (fetched.status === "rejected") throw fetched.reason;
    if (listed.status === "rejected") throw listed.reason;
    this.#unfetched = await fetchApprovals(source, listed.value, this.#refusedApprovals);
    return fetched.value;
  }

  /** What the source has of all that is wanted; null where only a fetch can tell. A local one is read without git. */
  async #listThere(): Promise<readonly RefEntry[] | null> {
    const { remote, wanted } = this.#plan;
    if (remote.localPath !== null) return wantedRefs(await listServed(remote.localPath), wanted);
    const listed = await listRemote((args) => this.#git(args, QUICK_DEADLINE_MS), remote.url, wanted);
    return listed === null ? null : wantedRefs(listed, wanted);
  }

  async #digestHere(): Promise<string | null> {
    const here = await this.source.list("refs/", MAX_REF_ENTRIES).catch(() => null);
    return here === null ? null : digestOfRefs(wantedRefs(here, this.#plan.wanted));
  }

  /** All references move, or none does and the branches that do not exist are the answer. */
  async #fetchAll(url: string): Promise<readonly string[]> {
    const answer = await this.#fetchRefs(url, this.#plan.refspecs);
    if (answer.exitCode === 0) return [];
    const listed = await this.#listBranches(url);
    const missing = this.#plan.branches.filter((name) => listed !== null && !listed.has(`refs/heads/${name}`));
    if (missing.length === 0) throw fetchFailed(answer);
    return missing;
  }

  async #fetchRest(url: string): Promise<readonly string[]> {
    const missing = await this.#fetchAll(url);
    if (missing.length === 0) return [];
    const gone = missing.map((name) => refspec(branchRef(name)));
    const rest = this.#plan.refspecs.filter((one) => !gone.includes(one));
    const answer = rest.length === 0 ? null : await this.#fetchRefs(url, rest);
    if (answer !== null && answer.exitCode !== 0) throw fetchFailed(answer);
    for (const name of missing) await this.#forget(`refs/source/heads/${name}`);
    return missing;
  }

  #fetchRefs(url: string, refspecs: readonly string[]): Promise<GitAnswer> {
    return this.#git([...FETCH, "--prune", "--end-of-options", url, ...refspecs], FETCH_DEADLINE_MS);
  }

  /** What is not there is forgotten already. */
  async #forget(ref: string): Promise<void> {
    await this.#git(["update-ref", "--no-deref", "-d", ref], QUICK_DEADLINE_MS);
  }

  /** A commit under its own id keeps what was fetched for it reachable; git needs that for the next negotiation. */
  async #fetchOne(url: string, id: CommitId): Promise<void> {
    const answer = await this.#git([...FETCH, "--end-of-options", url, `${id}:refs/fetched/${id}`], FETCH_DEADLINE_MS);
    if (answer.exitCode === 0) return;
    if ((await this.#listBranches(url)) === null) throw fetchFailed(answer);
    throw new SluiceError("head-not-fetchable", `Commit ${id} cannot be fetched from the configured URL.`, {
      cause: new Error(answer.stderr),
    });
  }

  /** The configured branches that exist there; null when the URL does not answer at all. */
  async #listBranches(url: string): Promise<ReadonlySet<string> | null> {
    const wanted = this.#plan.branches.map((name) => `refs/heads/${name}`);
    const answer = await this.#git(["ls-remote", "--refs", "--end-of-options", url, ...wanted], QUICK_DEADLINE_MS);
    if (answer.exitCode !== 0) return null;
    const lines = answer.stdout.toString("utf8").split("\n");
    return new Set(lines.map((line) => line.split("\t")[1] ?? ""));
  }

  #atUrl<T>(use: (url: string) => Promise<T>): Promise<T> {
    const { url, localPath } = this.#plan.remote;
    return localPath === null ? use(url) : serveLocally(localPath, use);
  }

  async #git(args: readonly string[], deadlineMs: number, input = ""): Promise<GitAnswer> {
    const { environment } = this.#plan;
    const { signal } = this.#ending;
    const maxOutputBytes = MAX_MERGE_OUTPUT_BYTES;
    try {
      return await runGit(this.#parts.store, { args, input, deadlineMs, environment, signal, maxOutputBytes });
    } finally {
      if (WRITES.includes(args[0] ?? "")) this.#listed = new Map(); // a listing that still runs keeps to the old one
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }
}
