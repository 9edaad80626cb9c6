import type { CodeEntry } from "../code-entry.ts";

export const RENDER_CODES = {
  "yaml-malformed": {
    class: "deny",
    means: "A file is not valid YAML in UTF-8, or holds a character that does not belong into one.",
    example: "A tab in the indentation, an unclosed quote, a control character, an alias without its anchor.",
    fix: "Correct the line and column that the message names.",
  },
  "yaml-ambiguous": {
    class: "deny",
    means: "Two readers of YAML would read different things here, so nobody can say what was approved.",
    example:
      "`defaultMode: 0644` (420 to Kubernetes, 644 to others), `enabled: yes`, `port: 1_000`, `time: 12:30:45`, `<<: *defaults`.",
    fix: "Write a text in quotes, a number in plain decimal, true or false in full, and the keys of a merge key out.",
  },
  "yaml-duplicate-key": {
    class: "deny",
    means: "A key stands twice in one map; readers differ on which one counts.",
    example: "Two `image:` lines in one container.",
    fix: "Keep one of them.",
  },
  "yaml-key": {
    class: "deny",
    means: "A key is not a text, is longer than a line, or could change the meaning of the map itself.",
    example: "`8080: web`, `true: x`, `__proto__: {}`, a list as a key.",
    fix: "Write the key in quotes.",
  },
  "yaml-tag": {
    class: "deny",
    means: "A YAML tag stands in a file. Tags change how a value is read, and Kubernetes needs none.",
    example: "`!!binary aGVsbG8=` or `!!js/function`.",
    fix: "Leave the tag out; write a text in quotes.",
  },
  "yaml-alias-bomb": {
    class: "deny",
    means: "Aliases make a small file very large, or contain themselves.",
    example: "Nine lists, each of which holds nine aliases of the one before.",
    fix: "Write the values out, or use fewer aliases.",
  },
  "yaml-too-deep": {
    class: "deny",
    means: "Lists and maps nest deeper than 100 levels.",
    example: "A file of 50,000 opening brackets.",
    fix: "Nest less deeply.",
  },
  "yaml-too-large": {
    class: "deny",
    means: "A YAML file is larger than Sluice reads.",
    example: "A 60 MiB dump of a cluster in the target's folder.",
    fix: "Split the file, or move what is not configuration out of the target's folder.",
  },
  "json-malformed": {
    class: "deny",
    means: "A file is not valid JSON in UTF-8, or holds a key that is not allowed.",
    example: "A comma after the last member, text after the value, half of a surrogate pair.",
    fix: "Correct the line and column that the message names.",
  },
  "json-too-deep": {
    class: "deny",
    means: "Lists and objects of a JSON file nest deeper than 100 levels.",
    example: "A file of 50,000 opening brackets.",
    fix: "Nest less deeply.",
  },
  "json-duplicate-key": {
    class: "deny",
    means: "A key stands twice in one JSON object; readers differ on which one counts.",
    example: '`{"image": "a", "image": "b"}`',
    fix: "Keep one of them.",
  },
  "json-number": {
    class: "deny",
    means: "A number in a JSON file changes when it is read as a double, as most readers do.",
    example: "`9007199254740993`, `1e400`, `-0`.",
    fix: "Write fewer digits, or a text in quotes.",
  },
  "json-too-large": {
    class: "deny",
    means: "A JSON file is larger than Sluice reads.",
    example: "A 60 MiB dump of a cluster in the target's folder.",
    fix: "Split the file, or move what is not configuration out of the target's folder.",
  },
  "render-too-large": {
    class: "deny",
    means: "The files of a target are together larger than Sluice renders.",
    example: "Two hundred files of 1 MiB each in one target's folder.",
    fix: "Split the target, or move what is not configuration out of its folder.",
  },
  "render-symlink": {
    class: "deny",
    means: "A symbolic link or a submodule lies in a target's path. Following it would read what nobody reviewed.",
    example: "`clusters/prod/web.yaml` is a link to `/etc/passwd`.",
    fix: "Replace it by the file itself.",
  },
  "path-not-rendered": {
    class: "deny",
    means: "A file in a target's path is of a kind that no renderer reads, so it would pass unseen.",
    example: "`clusters/prod/deploy.sh`.",
    fix: 'Move it out of the target\'s path, or add it to `ignore` in sluice.yaml, for example `ignore: ["*.md"]`.',
  },
  "not-an-object": {
    class: "deny",
    means: "A document in a target's path is not a Kubernetes object: apiVersion, kind or metadata.name is missing.",
    example: "A `values.yaml` in a plain folder, or an object with `generateName` only.",
    fix: "Complete the object, or move the file out of the target's path, or add it to `ignore` in sluice.yaml.",
  },
  "list-ambiguous": {
    class: "deny",
    means: "A document is a list and an object at the same time; appliers differ on what they would create.",
    example: "A ConfigMap with a field `items` at its top: kubectl applies the items and not the ConfigMap.",
    fix: "Write each object as a document of its own.",
  },
  "identity-hostile": {
    class: "deny",
    means: "Group, kind, namespace or name of an object holds characters that no such name may have, or is too long.",
    example: "`metadata.name: ../../etc/passwd`.",
    fix: "Give the object a name of letters, digits, `-`, `.`, `_` and `:`, at most 253 characters.",
  },
  "namespace-claimed": {
    class: "deny",
    means:
      "An object of a kind without namespaces names one. A cluster drops it, so rules about that namespace would judge something else.",
    example: "A ClusterRole with `metadata.namespace: apps`.",
    fix: "Remove `metadata.namespace` from the object.",
  },
  "duplicate-identity": {
    class: "deny",
    means: "Two documents describe the same object; which one is applied would be chance.",
    example: "Deployment/apps/web in `a.yaml` and again in `b.yaml`.",
    fix: "Keep one of the two places that the message names.",
  },
  "workload-malformed": {
    class: "deny",
    means: "A workload's pod has the wrong shape, so rules about containers would not see it.",
    example: "`containers:` of a Deployment is a map instead of a list.",
    fix: "Correct the field that the message names.",
  },
} as const satisfies Record<string, CodeEntry>;
