/** `sluice policy build`: a folder of policies to one module, as the judge compiles it, alone or as an OPA bundle. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { readSecret } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { formatTime } from "../lib/time.ts";
import { BUNDLE_NAME, type BundleTerms, encodeBundle } from "../policy/bundle.ts";
import type { SigningKey } from "../policy/bundle-signature.ts";
import { buildPolicySet, sourcesOf } from "../policy/compile.ts";
import { RESULT_ENTRYPOINT, ruleEntrypoint } from "../policy/entrypoints.ts";
import type { PolicyFile, PolicySet } from "../policy/policy-set.ts";
import type { PolicySources } from "../policy/policy-sources.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { counted } from "./counted.ts";
import { EXIT } from "./failure.ts";
import { numberOption, timeOption } from "./log-list.ts";
import { readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import type { PolicyBuildReport } from "./reports/schemas.ts";

export const policyBuild: Command = {
  name: "policy build",
  summary: "compile policies to one module",
  usage: [
    "policy build [DIR] [--output FILE.wasm|FILE.tar.gz] [--bundle-name NAME] [--bundle-version N] [--until TIME] [--sign KEY]",
  ],
  options: {
    output: {
      type: "string",
      value: "FILE",
      description: "FILE.wasm: the module; FILE.tar.gz: an OPA bundle, the same bytes every time",
    },
    sign: { type: "string", value: "KEY", description: "sign the bundle for OPA: PEM of an RSA key, mode 0600" },
    "bundle-name": {
      type: "string",
      value: "NAME",
      description: "which bundle it is a version of, where the same people sign several",
    },
    "bundle-version": {
      type: "string",
      value: "N",
      description: "counts up; who has taken one takes no older one",
    },
    until: { type: "string", value: "TIME", description: "when the bundle ends (a day, or RFC 3339 in UTC)" },
    "key-id": { type: "string", value: "ID", description: "what OPA calls the key (default: sluice)" },
    format: ANSWER_OPTIONS.format,
  },
  positionals: [0, 1],
  exitCodes: [[0, "compiled"]],
  example:
    "sluice policy build policies --output policies.tar.gz\nprints the rules, and the digest that decisions name",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(withoutOutput(invocation));
  const [named] = invocation.positionals;
  const output = textOption(invocation, "output") ?? null;
  const key = signingKey(invocation, output);
  const terms = termsOf(invocation, output);
  const { shown, files } = readPolicyFolder(invocation, named);
  const encode = output === null ? null : encoderOf(output, files, terms, key);
  const set = await withPolicyServices(invocation, ({ toolchain, compiledCache }) =>
    buildPolicySet({ toolchain, files, cache: compiledCache }),
  );
  if (output !== null && encode !== null) writeFileSync(resolve(invocation.folder, output), encode(set));
  const report = reportOf(shown, set, output);
  answer(withoutOutput(invocation), report, () => text(report));
  return EXIT.fine;
}

/** Here --output is the module's, as it is for OPA; the report is always shown. */
function withoutOutput(invocation: Invocation): Invocation {
  const { output: _, ...options } = invocation.options;
  return { ...invocation, options };
}

/** Asked before any work. @throws SluiceError `usage` */
function encoderOf(
  output: string,
  files: readonly PolicyFile[],
  terms: BundleTerms,
  key: SigningKey | null,
): (set: PolicySet) => Uint8Array {
  if (output.endsWith(".wasm")) return (set) => set.wasm;
  if (output.endsWith(".tar.gz")) return (set) => encodeBundle(set, sourcesOfSet(set, files), terms, key);
  throw new SluiceError("usage", "The output is a module (.wasm) or an OPA bundle (.tar.gz).", {
    fix: "--output policies.tar.gz",
  });
}

function sourcesOfSet({ digest }: PolicySet, files: readonly PolicyFile[]): PolicySources {
  const sources = sourcesOf(files, digest);
  if (sources === null) throw new TypeError("a set is built from its own sources");
  return sources;
}

/** @throws SluiceError `usage` */
function termsOf(invocation: Invocation, output: string | null): BundleTerms {
  const version = numberOption(invocation, "bundle-version") ?? null;
  const until = timeOption(invocation, "until");
  const name = textOption(invocation, "bundle-name") ?? null;
  if (name !== null && !BUNDLE_NAME.test(name))
    throw new SluiceError("usage", "A bundle's name is small letters, digits, dots and hyphens.", {
      fix: "--bundle-name platform",
    });
  if ((name !== null || version !== null || until !== undefined) && output?.endsWith(".tar.gz") !== true)
    throw new SluiceError("usage", "Only a bundle has a name, a version or an end.", {
      fix: "--output policies.tar.gz",
    });
  return { name, version, notAfter: until === undefined ? null : formatTime(until) };
}

/** @throws SluiceError `usage`, `secret-missing`, `secret-readable-by-others` */
function signingKey(invocation: Invocation, output: string | null): SigningKey | null {
  const file = textOption(invocation, "sign");
  const id = textOption(invocation, "key-id");
  if (file === undefined && id === undefined) return null;
  if (file === undefined || output === null || !output.endsWith(".tar.gz"))
    throw new SluiceError("usage", "Only a bundle is signed, and with a key.", {
      fix: "--output policies.tar.gz --sign KEY",
    });
  const { environment } = invocation.surroundings;
  return { pem: readSecret({ file }, invocation.folder, environment), id: id ?? "sluice" };
}

function reportOf(folder: string, set: PolicySet, output: string | null): PolicyBuildReport {
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyBuild",
    exitCode: EXIT.fine,
    folder,
    digest: set.digest,
    bytes: set.wasm.byteLength,
    entrypoints: [RESULT_ENTRYPOINT, ...set.rules.map((_, index) => ruleEntrypoint(index))],
    rules: set.rules.map(({ id, package: name, file, title, level, scope, mode, kinds }) => {
      return { id, package: name, file, title, level, scope, mode, kinds: [...kinds] };
    }),
    output,
  };
}

function text({ rules, bytes, digest, output }: PolicyBuildReport): string {
  const width = Math.max(...rules.map(({ id }) => id.length)) + 2;
  const lines = rules.map(({ id, level, scope, title }) => {
    return `${id.padEnd(width)}${level.padEnd(10)}${scope.padEnd(10)}${printable(title)}`;
  });
  const written = output === null ? "" : `, written to ${output}`;
  return `${lines.join("\n")}\n${counted(rules.length, "rule")}, ${Math.ceil(bytes / 1024)} KiB${written}\nsha256:${digest}\n`;
}
