import type { CodeEntry } from "../code-entry.ts";

export const CONFIG_CODES = {
  "configuration-invalid": {
    class: "error",
    means: "The repository's sluice.yaml cannot be read: it has an unknown key, a wrong type or is not YAML.",
    example: 'sluice.yaml:6:5 unknown key "singatures"; did you mean "signatures"?',
    fix: "Correct the named line, then run `sluice config check`.",
  },
  "configuration-absent": {
    class: "error",
    means: "The judge has no sluice.yaml, so nothing says what is judged and how.",
    example: "A check in a repository that was never set up.",
    fix: "Run `sluice init`, commit what it writes, and land it.",
  },
  "configuration-missing": {
    class: "usage",
    means: "A configuration file that was named does not exist or cannot be read.",
    example: "`sluice check --config gate.yml` where the file is called gate.yaml.",
    fix: "Name an existing file.",
  },
  "gate-configuration-invalid": {
    class: "usage",
    means:
      "The operator's gate.yaml cannot be used: it has an unknown key, a wrong type, is not YAML, or names a certificate that is none.",
    example: 'gate.yaml:5:3 unknown key "repositry"; did you mean "repository"?',
    fix: "Correct the named line, then run `sluice config check --config gate.yaml`.",
  },
  "agent-configuration-invalid": {
    class: "usage",
    means: "The agent's agent.yaml cannot be read: it has an unknown key, a wrong type or is not YAML.",
    example: 'agent.yaml:8:1 unknown key "relaseKeys"; did you mean "releaseKeys"?',
    fix: "Correct the named line.",
  },
  "witness-configuration-invalid": {
    class: "usage",
    means: "The witness's witness.yaml cannot be read: it has an unknown key, a wrong type or is not YAML.",
    example: 'witness.yaml:4:1 unknown key "log"; did you mean "logs"?',
    fix: "Correct the named line.",
  },
  "secret-missing": {
    class: "usage",
    means: "A secret that the configuration refers to cannot be read.",
    example: "`key: {file: log.key}` where the file does not exist.",
    fix: "Create it (`sluice keygen log`), or correct the reference.",
  },
  "secret-readable-by-others": {
    class: "usage",
    means: "A key file can be read by other users of the machine, so the key is not a secret.",
    example: "log.key with mode 0644.",
    fix: "chmod 600 FILE",
  },
  "target-unknown": {
    class: "usage",
    means: "No target of this name is configured.",
    example: "`sluice check --target production` where sluice.yaml names prod.",
    fix: "Name one of the listed targets.",
  },
  "branch-mismatch": {
    class: "error",
    means: "gate.yaml and sluice.yaml name different branches for the target, so it is unclear what lands.",
    example: "gate.yaml says main, sluice.yaml says release.",
    fix: "Make both name the same branch.",
  },
} as const satisfies Record<string, CodeEntry>;
