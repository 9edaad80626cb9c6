import type { Mutant } from "../mutant.ts";

export const CLI: readonly Mutant[] = [
  {
    name: "does its work first and finds out then that the answer can be written nowhere",
    file: "src/cli/answer.ts",
    find: "for (const file of outputs) refuseUnwritable(resolve(invocation.folder, file), file);",
    replace: "",
    test: "test/cli/answer.test.ts",
    named: "a format or a file that cannot be is refused before anything is done",
  },
  {
    name: "replaces a key that is there",
    file: "src/cli/keygen.ts",
    find: 'descriptor = openSync(path, "wx", 0o600);',
    replace: 'descriptor = openSync(path, "w", 0o600);',
    test: "test/cli/keygen.test.ts",
    named: "keygen refuses to replace a file, or what a link points to, with key-exists",
  },
  {
    name: "writes a private key that others can read",
    file: "src/cli/keygen.ts",
    find: 'descriptor = openSync(path, "wx", 0o600);',
    replace: 'descriptor = openSync(path, "wx", 0o644);',
    test: "test/cli/keygen.test.ts",
    named: "keygen writes a private key for its owner only and prints the verifier key that belongs to it",
  },
  {
    name: "ends a denial with exit code 0",
    file: "src/cli/check.ts",
    find: "return report.exitCode;",
    replace: "return report.exitCode === 1 ? 0 : report.exitCode;",
    test: "test/invariants/01-nothing-passes-by-absence.test.ts",
    named: "a path that neither a target nor ignore covers is denied",
  },
];
