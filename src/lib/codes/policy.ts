import type { CodeEntry } from "../code-entry.ts";

export const POLICY_CODES = {
  "bundle-invalid": {
    class: "error",
    means:
      "The archive is not a bundle of policies as Sluice or `opa build` writes it: another file, a link, a file twice, something behind the end, sources or data that are not what its revision names, or OPA's rules as a module.",
    example: "A bundle into which somebody put `../../etc/passwd`.",
    fix: "Build it again: sluice policy build DIR --output policies.tar.gz, or opa build -b DIR without -t wasm",
  },
  "bundle-too-large": {
    class: "error",
    means: "The bundle is larger than 32 MiB, or would be larger than 64 MiB unpacked.",
    example: "A few kilobytes of gzip that swell to gigabytes.",
    fix: "Build it again from the policies alone: sluice policy build DIR --output policies.tar.gz",
  },
  "bundle-other-version": {
    class: "error",
    means:
      "The bundle was built by another version of Sluice or of OPA, so the same policies could mean something else.",
    example: "A bundle of last year, after Sluice was brought up to date.",
    fix: "Build and sign it again with this version: sluice policy build DIR --output policies.tar.gz",
  },
  "bundle-unsigned": {
    class: "error",
    means:
      "Nobody stands for the bundle: there is no file of signatures beside it, or the asked key's signature is not in it.",
    example: "`sluice policy eval --policies policies.tar.gz web.yaml` without policies.tar.gz.sig.",
    fix: "ssh-keygen -Y sign -n sluice-bundle -f KEY BUNDLE.tar.gz, by as many people as `change:` in people.yaml says",
  },
  "bundle-signature": {
    class: "error",
    means:
      "The signatures do not make up what is asked for: they are by too few people of the trust folder, lack a role, or are of other bytes.",
    example: "One person signed, and `change: {count: 2}` in trust/people.yaml asks for two.",
    fix: "Let the missing people sign, and put all signatures into BUNDLE.tar.gz.sig, one after the other.",
  },
  "bundle-expired": {
    class: "error",
    means: "The bundle has an end, and that is past: a newer one may have taken a rule's place.",
    example: "A bundle built with `--until 2026-10-01`, used in November.",
    fix: "Build and sign a new one: sluice policy build DIR --output policies.tar.gz --until TIME",
  },
  "bundle-rolled-back": {
    class: "error",
    means:
      "The bundle is older than the newest version that was taken here or than the oldest that is to be taken, is another one of the same version, or says no version.",
    example: "A bundle of version 6 where version 7 was used before.",
    fix: "Get the current bundle; who builds it counts up: sluice policy build --bundle-version N",
  },
  "bundle-memory": {
    class: "error",
    means:
      "Which version of a bundle was taken last can be neither read nor kept, so an older one would not be noticed.",
    example: "A folder for state (`XDG_STATE_HOME`) that cannot be written.",
    fix: "Give the folder that the message names back to whoever runs this; deleting it forgets what was taken.",
  },
  "no-policies": {
    class: "error",
    means: "The policy folder holds no rule, so nothing could be judged. An empty set never approves anything.",
    example: "`policies:` in sluice.yaml names an empty folder.",
    fix: "`sluice init` writes three to start from; or point `policies:` in sluice.yaml at the right folder.",
  },
  "policy-does-not-compile": {
    class: "error",
    means: "A policy is not valid Rego, names a field that the input does not have, or nests too deeply.",
    example: "`input.resource.objct.kind` (misspelt) in policies/images/policy.rego.",
    fix: "Correct the line that the message names, then run `sluice policy check`.",
  },
  "policy-metadata": {
    class: "error",
    means: "A policy's METADATA block is missing, incomplete, or says something that no rule may say.",
    example: "A package with a `deny` rule and no `custom.id`.",
    fix: "Complete the METADATA block of the package (title, custom.id, custom.level, custom.fix), then run `sluice policy check`.",
  },
  "data-not-readable": {
    class: "error",
    means:
      "A policy of another engine names something under `data` that is neither its own nor given to it, so it would be undefined for ever.",
    example: "`import data.settings` in the Rego of a ConstraintTemplate.",
    fix: "Put what the policy needs into its parameters, its libraries, `data.inventory` or, except for Gatekeeper, a data file; then run `sluice policy check`.",
  },
  "data-invalid": {
    class: "error",
    means:
      "A data file of the policies is not JSON or YAML that everybody reads alike, is no object where it stands at the top, or the data is larger than 8 MiB.",
    example: "A key that stands twice in policies/shop/data.json.",
    fix: "Correct the place that the message names, then run `sluice policy check`.",
  },
  "data-conflict": {
    class: "error",
    means:
      "Two data files, or a rule and a data file, define one name under `data`, so nobody could say which of them a policy reads.",
    example: "`allowed` in policies/shop/data.json, and a rule `allowed` in package shop.",
    fix: "Give one of the two another name or folder, then run `sluice policy check`.",
  },
  "data-reserved": {
    class: "error",
    means:
      "A data file defines `data.external`, `data.inventory` or `data.sluice`, which is what Sluice itself gives policies.",
    example: "A folder policies/external with a data.json.",
    fix: "Give the folder or the key another name, and write that in the policies that read it.",
  },
  "template-invalid": {
    class: "error",
    means: "A ConstraintTemplate, or the file that holds it, is not one that Gatekeeper would take.",
    example: "A template whose Rego has no rule `violation`.",
    fix: "Correct the place that the message names, then run `sluice policy check`.",
  },
  "template-duplicate": {
    class: "error",
    means: "Two ConstraintTemplates define one kind, so nobody could say which of them a constraint means.",
    example: "K8sRequiredLabels in policies/a.yaml and in policies/b.yaml.",
    fix: "Delete one of the two, or give it another kind.",
  },
  "constraint-invalid": {
    class: "error",
    means:
      "A constraint says something that its template or Gatekeeper does not know, so it would not do what it is for.",
    example: "`namspaces:` (misspelt) under spec.match.",
    fix: "Correct the place that the message names, then run `sluice policy check`.",
  },
  "constraint-without-template": {
    class: "error",
    means: "A constraint names a kind for which there is no ConstraintTemplate, so nothing would be asked.",
    example: "A constraint of kind K8sRequiredLabels in a folder without its template.",
    fix: "Put the template into the policy folder, or delete the constraint.",
  },
  "namespace-absent": {
    class: "error",
    means:
      "A constraint selects objects by the labels of their Namespace, and that Namespace is not among the objects that are judged.",
    example: "`namespaceSelector` in a constraint, and a target that does not hold its Namespaces.",
    fix: "Add the Namespace to the target, or select by `namespaces` in the constraint.",
  },
  "builtin-not-supported": {
    class: "error",
    means: "A policy calls a built-in function that Sluice does not offer, because it reaches outside the policy.",
    example: "`http.send({...})` in a policy.",
    fix: "Write the rule with what `input` holds (`time.now_ns()` is the recorded instant). What `http.send` would fetch, the operator declares under `external` in gate.yaml, and the rule reads it as `data.external.NAME`. Then run `sluice policy check`.",
  },
  "external-undeclared": {
    class: "error",
    means:
      "A policy reads data from outside, and the operator's gate.yaml declares no such source for the target, so nobody fetches it.",
    example: "`data.external.registries` in a policy, and no `external: {registries: ...}` in gate.yaml.",
    fix: "The operator adds the source under `external` in gate.yaml and names the target in its `targets`; or read it no more.",
  },
  "external-not-given": {
    class: "error",
    means: "A policy reads data from outside, and here nobody fetches it: only a gate does.",
    example: "`sluice check` on a laptop, and a policy that reads `data.external.registries`.",
    fix: "Give the data as a file: --data registries=FILE.json",
  },
  "external-unnamed": {
    class: "error",
    means:
      "A policy reads all data from outside, or a source whose name only evaluation knows, so nobody could say beforehand what has to be fetched.",
    example: "`data.external[input.resource.id.name]` in a policy.",
    fix: "Name each source: `data.external.registries`, or `data.external.registries[name]`.",
  },
  "external-unreachable": {
    class: "error",
    means:
      "A source of data from outside did not answer in time, not with 200, or not under a certificate that is trusted; old data is never used in its place.",
    example: "The server of `external: {registries: ...}` in gate.yaml is down.",
    fix: "Mend the source and ask again; `sluice doctor --config gate.yaml` asks each of them.",
  },
  "external-address": {
    class: "error",
    means:
      "The name of a source leads to an address that no source has: of this machine, of the local link (where clouds keep their credentials), or of no single machine.",
    example: "A name in gate.yaml that somebody lets point to 169.254.169.254.",
    fix: "Correct the name where it is resolved. A source on this machine is written so: http://127.0.0.1:PORT/PATH.",
  },
  "external-too-large": {
    class: "error",
    means: "What a source of data from outside gave is larger than 1 MiB.",
    example: "A list of all images instead of the list of allowed registries.",
    fix: "Let the source give only what the rules need.",
  },
  "external-malformed": {
    class: "error",
    means:
      "What a source of data from outside gave is not JSON that everybody reads alike, so a rule could see something else than people.",
    example: "A page in HTML that asks for a password, or an object with one key twice.",
    fix: "Let the source answer JSON (RFC 8259, no duplicate keys, no numbers that a double does not carry).",
  },
  "external-not-recorded": {
    class: "error",
    means: "Policies read data from outside that was not asked for when it was decided, so nobody knows what it was.",
    example: "`sluice simulate` with policies that read a source which the policies of then did not.",
    fix: "Give what it would have been: sluice simulate --data NAME=FILE.json ...",
  },
  "builtin-error": {
    class: "error",
    means: "A built-in function of a policy failed on this document, so the rule has no answer for it.",
    example: '`time.parse_rfc3339_ns("yesterday")` while a rule is evaluated.',
    fix: "Guard the call in the policy, so that it is made only with values it accepts; try it with `sluice policy eval`.",
  },
  "policy-aborted": {
    class: "error",
    means: "A rule stopped in the middle of a document, so it has no answer for it.",
    example: "A document with 5,000 nested lists overflows the stack of the policy's WebAssembly module.",
    fix: "Try the rule on this document with `sluice policy eval`, and correct the rule or the document.",
  },
  "policy-deadline": {
    class: "error",
    means: "A rule did not answer within its deadline and was stopped.",
    example: "A rule loops over every combination of 5,000 numbers.",
    fix: "Make the rule do less work per document; `sluice policy eval` shows how long it takes.",
  },
  "signing-key-unusable": {
    class: "usage",
    means: "The key that a bundle of policies is to be signed with is none that gives the same bundle every time.",
    example: "`sluice policy build --output policies.tar.gz --sign key.pem` with an ECDSA key.",
    fix: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out bundle.key && chmod 600 bundle.key",
  },
  "policy-overloaded": {
    class: "error",
    means: "More evaluations waited for a policy worker than may wait, so this one was not begun.",
    example: "Several hundred changes that are judged at the same moment.",
    fix: "Ask again; where it lasts, look for a policy that uses up its deadline with `sluice policy bench`.",
  },
  "policy-memory": {
    class: "error",
    means: "A rule needed more memory than a policy may have and was stopped.",
    example: "A rule builds a list of fifty million numbers.",
    fix: "Make the rule build smaller values; try it with `sluice policy eval`.",
  },
  "finding-malformed": {
    class: "error",
    means: "A rule answered something that is not a list of findings, so it cannot be read as an answer.",
    example: '`deny contains "no"`, where a finding is an object with a message.',
    fix: 'Let the rule produce objects like {"message": text, "at": JSON pointer, "fix": text}; at and fix may be left out.',
  },
  "rules-missing": {
    class: "error",
    means: "Fewer or other rules answered than the METADATA of the policies says must answer.",
    example: "A policy whose `deny` has no value, or a compiled module whose entrypoint is empty.",
    fix: "Delete the cache folder and run the command again; if it stays, look at the rule with `sluice policy check`.",
  },
  "example-malformed": {
    class: "deny",
    means:
      "An example beside a policy is neither a Kubernetes object nor made of fields that the policy input has, so it shows nothing.",
    example: "`chnage:` in examples/deny/nobody.yaml of a rule about changes.",
    fix: "Correct the place that the message names, then run `sluice policy test`.",
  },
  "suite-malformed": {
    class: "deny",
    means: "A suite of tests for constraints says something that no suite may say, so a test might check nothing.",
    example: "`assertion:` (misspelt) in a case of a Suite.",
    fix: "Correct the place that the message names, then run `sluice policy verify`.",
  },
  "no-tests": {
    class: "deny",
    means: "No test and no example was run, so nothing is known about the policies.",
    example: "`sluice policy test` in a folder that holds a policy.rego and nothing else.",
    fix: "Write policy_test.rego beside the policy, and objects in examples/allow/ and examples/deny/; docs/policies.md shows how. Suites of Gatekeeper: `sluice policy verify`.",
  },
  "coverage-too-low": {
    class: "deny",
    means: "The tests reach fewer lines of the policies than --threshold asks for.",
    example: "`sluice policy test --threshold 100` with a rule body that no test enters.",
    fix: "Test the lines that the report names under `not covered`, then run `sluice policy test --coverage`.",
  },
  "tests-missing": {
    class: "warning",
    means: "No test names the package of this rule, so nobody would notice if it stopped to speak.",
    example: "A folder with policy.rego and without policy_test.rego.",
    fix: "Write rules named test_... in policy_test.rego beside it, then run `sluice policy test`.",
  },
  "examples-missing": {
    class: "warning",
    means: "There is no example that this rule allows, or none that it denies, to show what it means.",
    example: "A rule whose folder has examples/deny/ and no examples/allow/.",
    fix: "Put an object into examples/allow/ and one into examples/deny/ beside the rule, then run `sluice policy test`.",
  },
  "description-missing": {
    class: "warning",
    means: "The METADATA of this rule has no description, so its readers are not told why it is there.",
    example: "A METADATA block with a title and no `description:`.",
    fix: "Say in `# description:` what goes wrong without the rule.",
  },
  "toolchain-missing": {
    class: "error",
    means: "The program that compiles policies is not installed.",
    example: "A checkout in which nothing has been built yet.",
    fix: "Run: npm run build",
  },
  "toolchain-deadline": {
    class: "error",
    means: "The policy compiler did not answer within its deadline and was stopped.",
    example: "A policy that takes minutes to compile.",
    fix: "Make the policy smaller, or split it, and run the command again.",
  },
  "toolchain-failed": {
    class: "error",
    means: "The policy compiler ended or answered something that is not its protocol.",
    example: "The compiler runs out of memory while it compiles a policy.",
    fix: "Run the command again; if it stays, run `sluice doctor`.",
  },
  "sandbox-unavailable": {
    class: "error",
    means:
      "The policy compiler could not lock itself away from files, network and processes, so it did not start work.",
    example: "A container runtime that forbids seccomp.",
    fix: "Allow seccomp filters for this process; where that cannot be done, set `toolchain.sandbox: none` for previews.",
  },
} as const satisfies Record<string, CodeEntry>;
