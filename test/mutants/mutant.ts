/** One refusal taken away: a patch of one place, and the test that must notice. */
export interface Mutant {
  /** What Sluice no longer does right, as a clause: `skips the re-hash of git objects`. */
  readonly name: string;
  /** The patched file, from the top of the repository. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test file, and the name of a test in it, exactly. */
  readonly test: string;
  readonly named: string;
  /** True where the patched copy never ends: then, and only then, running out of time counts as noticed. */
  readonly hangs?: boolean;
}
