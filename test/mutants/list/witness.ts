import type { Mutant } from "../mutant.ts";

const WITNESS = "test/log/witness.test.ts";
const COSIGNATURE = "test/log/cosignature.test.ts";
const COMMAND = "test/cli/witness.heavy.test.ts";
const ADD = "src/log/witness/add-checkpoint.ts";
const CLIENT = "src/log/witness/client.ts";
const REFUSES = "refuses each thing in its own way, and then remembers what it saw before";
const SIGNS_NOTHING = "signs nothing more on a log of which a witness has seen more, or other";
const GOES_ON = "goes on without one that is silent, wrong, too long or another's, and says so once";

export const WITNESSES: readonly Mutant[] = [
  {
    name: "cosigns what the log did not sign",
    file: ADD,
    find: 'if (opening.kind === "rejected")',
    replace: "if (log.keys.length === 0)",
    test: WITNESS,
    named: REFUSES,
  },
  {
    name: "cosigns a log that does not continue what it saw",
    file: ADD,
    find: "if (!verifyConsistency(oldSize, checkpoint.size, proof, seen?.root ?? emptyRoot(), checkpoint.root))",
    replace: "if (!verifyConsistency(0, 0, [], emptyRoot(), emptyRoot()))",
    test: WITNESS,
    named: REFUSES,
  },
  {
    name: "believes whoever asks what the witness saw last",
    file: ADD,
    find: "if (oldSize !== (seen?.size ?? 0)) return conflict(seen);",
    replace: "",
    test: WITNESS,
    named: REFUSES,
  },
  {
    name: "cosigns although another request was first",
    file: ADD,
    find: "if (!witness.store.replace(checkpoint.origin, oldSize, next)) return conflict(witness.store.seen(checkpoint.origin));",
    replace: "witness.store.replace(checkpoint.origin, oldSize, next);",
    test: WITNESS,
    named: "answers nothing when two ask at once and the other was first",
  },
  {
    name: "takes a note key for a witness's key",
    file: "src/log/note-key.ts",
    find: 'if (!isNoteName(name) || key?.byteLength !== 1 + KEY_BYTES || key[0] !== type) throw invalidKey("verifier key");',
    replace:
      'if (!isNoteName(name) || key?.byteLength !== 1 + KEY_BYTES) throw invalidKey("verifier key");\n  type = key[0] as typeof type;',
    test: COSIGNATURE,
    named: "is not made or checked with a key of notes, and a note is not signed with a witness's key",
  },
  {
    name: "counts a witness whose line is wrong as one that is not there",
    file: "src/log/cosignature.ts",
    find: "if (at === null) return null;",
    replace: "if (at === null) continue;",
    test: COSIGNATURE,
    named: "of a known witness that is wrong refuses the whole note: other text, other time, cut short",
  },
  {
    name: "counts one witness twice",
    file: "src/log/cosignature.ts",
    find: "return [...found].map(([name, at]) => ({ name, at }));",
    replace:
      "return parsed.signatures.filter(({ name }) => found.has(name)).map(({ name }) => ({ name, at: found.get(name) ?? 0 }));",
    test: COSIGNATURE,
    named: "counts each known witness once, whole seconds, beside the log's own signature",
  },
  {
    name: "signs on although a witness has seen more of the log",
    file: "src/log/contains.ts",
    find: "if (seen.size > newest.size)",
    replace: "if (seen.size > newest.size) return;\n  if (seen.size > newest.size)",
    test: WITNESS,
    named: SIGNS_NOTHING,
  },
  {
    name: "signs on although a witness has seen another log",
    file: "src/log/contains.ts",
    find: "if (!verifyConsistency(seen.size, newest.size, proof, seen.root, newest.root))",
    replace: "if (proof.length > 1000)",
    test: WITNESS,
    named: SIGNS_NOTHING,
  },
  {
    name: "puts whatever a witness answers under the checkpoint",
    file: CLIENT,
    find: "cosignaturesOf(note, [this.#address.verifier])?.length === 1)",
    replace: "note.length > 0)",
    test: WITNESS,
    named: GOES_ON,
  },
  {
    name: "applies what too few witnesses saw",
    file: "src/agent/verify.ts",
    find: "if (by.length >= quorum) return;",
    replace: "if (by.length >= 0) return;",
    test: COMMAND,
    named: "an agent that asks for witnesses applies only what enough of them saw; the gate goes on without one",
  },
];
