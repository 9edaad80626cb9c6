/** `gate.yaml`: the operator's, outside every judged repository; says where and who. */
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { readDocument } from "../lib/document.ts";
import { SluiceError } from "../lib/errors.ts";
import { ENTRYPOINT } from "../policy/entrypoints.ts";
import { accessSchema, admissionSchema, checkDoors, listenSchema } from "./access-yaml.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { externalSchema } from "./external-yaml.ts";
import { masksSchema, retentionSchema } from "./log-yaml.ts";
import { duration, shortName as name, verifierKey } from "./parts.ts";
import { secretSchema } from "./secret.ts";
import { checkStore, storeFields } from "./store-yaml.ts";

const origin = z.string().regex(/^[^\s+]{1,200}$/, "has no white space and no +");
const notYet = z.unknown().describe("Not supported yet.");

const SHORTEST_MS = 100;
const LONGEST_POLL_MS = 24 * 60 * 60 * 1000;
const LONGEST_DEADLINE_MS = 30_000;
const SHORTEST_REVIEW_MS = 10 * 60_000;
const LONGEST_REVIEW_MS = 24 * 60 * 60_000;

const poll = duration(SHORTEST_MS, LONGEST_POLL_MS, "30s or 5m, from 100ms to 1d");
const reviewWithin = duration(SHORTEST_REVIEW_MS, LONGEST_REVIEW_MS, "4h or 24h, from 10m to 24h");
const deadline = duration(SHORTEST_MS, LONGEST_DEADLINE_MS, "800ms or 2s, from 100ms to 30s");

/** A whole name in which at most one star stands for anything, as in a refspec; Sluice's own references are none. */
const proposals = z
  .string()
  .max(250)
  .regex(/^refs\/[^\s~^:?[\\*]*\*?[^\s~^:?[\\*]*$/, "is the name of a reference with at most one *")
  .refine((text) => !text.startsWith("refs/sluice/"), "is not one of Sluice's own references");

const repository = z.strictObject({
  url: z.string().min(1).max(2000).describe("Where the gate fetches from: https, ssh or a path."),
  credentials: secretSchema.optional().describe("Not supported yet for https; ssh uses the operator's agent."),
  poll: poll.default("30s").describe("How often `sluice serve` looks for what is new, for example 30s."),
  proposals: z
    .array(proposals)
    .max(20)
    .default([])
    .describe("References whose heads `sluice serve` judges as proposals, for example refs/pull/*/head."),
  hint: z
    .strictObject({ secret: secretSchema.describe("At least 24 bytes, or whsec_ and base64; a file has mode 0600.") })
    .optional()
    .describe("Whoever signs with the secret may ask, at /hooks/generic/NAME, that it looks at once."),
});

const channel = z.union([
  z.strictObject({ directory: z.string().min(1).describe("Folder that agents read.") }),
  z.strictObject({ branch: notYet }),
  z.strictObject({ oci: notYet }),
]);

const minimum = z.strictObject({
  mode: z.enum(["observe", "warn", "enforce"]).optional().describe("What the verdict does, at least."),
  signatures: z
    .enum(["every-commit", "merge-and-head", "head", "none"])
    .optional()
    .describe("Which commits must verify, at least."),
  approvals: z.int().min(0).max(20).optional().describe("How many people approve, at least."),
  change: z.int().min(0).max(20).optional().describe("How many approve governance files, at least."),
});

/** What would do nothing is not taken: two operators are reviewed by nobody. */
const emergency = z.discriminatedUnion("operators", [
  z.strictObject({ operators: z.literal(2).describe("Two say the same within 15 minutes.") }),
  z.strictObject({
    operators: z.literal(1).describe("One may do it alone, and another person reviews it."),
    review: reviewWithin.default("24h").describe("Within which time; at most 24h."),
  }),
]);

const target = z.strictObject({
  repository: name.describe("Name under `repositories`."),
  branch: z.string().min(1).max(250).describe("Must be the branch that sluice.yaml names."),
  channels: z.array(channel).min(1).max(8).describe("Where releases are written."),
  minimum: minimum.prefault({}).describe("Holds beside what the repository says; the stricter side wins."),
  emergency: emergency
    .prefault({ operators: 2 })
    .describe("Who may release in an emergency; sluice.yaml cannot say it."),
  agents: z.array(verifierKey).default([]).describe("Keys of the agents whose reports count."),
  reports: z.string().optional().describe("Folder that agents write their reports to."),
});

export const gateSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  repositories: z.record(name, repository).describe("By name: where the gate fetches from."),
  targets: z
    .record(name, target)
    .refine((all) => Object.keys(all).length > 0, "names at least one target")
    .describe("By the name in sluice.yaml: where it is from, and where it is released."),
  revoked: z
    .array(z.string().min(1).max(200))
    .default([])
    .describe("Fingerprints of keys that count no longer, at once."),
  log: z
    .strictObject({
      ...storeFields,
      origin: origin.describe("Name of the log, as in its checkpoints."),
      witnesses: z
        .array(
          z.strictObject({
            url: z
              .string()
              .max(500)
              .regex(/^https?:\/\/[^\s?#@]+$/, "is an http or https address without a query")
              .describe("Prefix of its requests (C2SP tlog-witness)."),
            key: verifierKey.describe("Verifier key, from `sluice keygen witness`."),
            deadline: deadline
              .default("800ms")
              .describe("How long a head waits for it, also one that says a hold is on."),
          }),
        )
        .max(16)
        .default([])
        .describe("Who is asked to cosign each checkpoint before a head shows it."),
      key: secretSchema.describe("From `sluice keygen log`."),
      anchor: z.string().optional().describe("File on another volume that remembers the newest checkpoint."),
      masks: masksSchema.prefault({}).describe("What is committed to and not kept."),
      retention: retentionSchema.optional().describe("How long values beside entries are kept; for ever when absent."),
    })
    .describe("The decision log."),
  release: z
    .strictObject({ key: secretSchema.describe("From `sluice keygen release`; never the log's key.") })
    .describe("How releases and heads are signed."),
  data: z
    .strictObject({
      entrypoints: z
        .record(z.string().max(500).regex(ENTRYPOINT), name)
        .describe("By package/rule: the target whose policies answer it."),
    })
    .optional()
    .describe("What /v1/data answers; absent: nothing."),
  external: externalSchema.optional(),
  listen: listenSchema.prefault({}).describe("Where `sluice serve` listens."),
  admission: admissionSchema.optional().describe("The listener for a cluster's API server; absent: there is none."),
  access: accessSchema.optional().describe("Who may call the service; without it, it listens on loopback only."),
  forges: notYet.optional().describe("Not supported yet."),
  toolchain: z
    .strictObject({ sandbox: z.enum(["seccomp"]).default("seccomp").describe("How the policy compiler is locked.") })
    .prefault({})
    .describe("A gate refuses `sandbox: none`."),
});

export type GateYaml = z.infer<typeof gateSchema>;
export type GateTarget = GateYaml["targets"][string];

export interface GateConfiguration {
  readonly gate: GateYaml;
  /** Folder that relative paths resolve from. */
  readonly folder: string;
  readonly file: string;
}

/** @throws SluiceError `configuration-missing`, `gate-configuration-invalid`, `not-supported` */
export function readGateYaml(path: string): GateConfiguration {
  const file = resolve(path);
  const gate = readDocument(readConfigurationFile(file), path, gateSchema, "gate-configuration-invalid");
  for (const [target, one] of Object.entries(gate.targets)) checkTarget(gate, target, one);
  refuseSharedChannels(gate, dirname(file));
  checkDoors(gate);
  checkEntrypoints(gate);
  checkExternal(gate);
  checkStore(gate.log);
  refusePlanned(gate, path);
  return { gate, folder: dirname(file), file };
}

function checkEntrypoints({ data, targets }: GateYaml): void {
  const unknown = Object.entries(data?.entrypoints ?? {}).find(([, target]) => !Object.hasOwn(targets, target));
  if (unknown === undefined) return;
  const [entrypoint, target] = unknown;
  throw new SluiceError("gate-configuration-invalid", `data answers ${entrypoint} by ${target}, which is not listed.`, {
    fix: "name one of the targets",
  });
}

function checkExternal({ external = {}, targets }: GateYaml): void {
  for (const [name, source] of Object.entries(external)) {
    const unknown = source.targets.find((target) => !Object.hasOwn(targets, target));
    if (unknown === undefined) continue;
    throw new SluiceError("gate-configuration-invalid", `external gives ${name} to ${unknown}, which is not listed.`, {
      fix: "name targets that are",
    });
  }
}

/** Two targets in one folder would each publish a head that the other's agents refuse. */
function refuseSharedChannels(gate: GateYaml, folder: string): void {
  const owners = new Map<string, string>();
  for (const [target, { channels }] of Object.entries(gate.targets)) {
    for (const channel of channels) {
      if (!("directory" in channel)) continue;
      const place = resolve(folder, channel.directory);
      const other = owners.get(place);
      if (other !== undefined) {
        throw new SluiceError(
          "gate-configuration-invalid",
          `${other} and ${target} release to one folder, ${channel.directory}.`,
          {
            fix: "give each target a folder of its own",
          },
        );
      }
      owners.set(place, target);
    }
  }
}

/** What forges will need: refused, because what is set here and does nothing would look as if it did. */
const PLANNED = ["forges"] as const;

function refusePlanned(gate: GateYaml, path: string): void {
  const planned = PLANNED.filter((key) => gate[key] !== undefined);
  if (planned.length === 0) return;
  throw new SluiceError("not-supported", `${path} sets ${planned.join(", ")}, which are not there yet.`, {
    fix: `remove ${planned.join(", ")} from ${path}`,
  });
}

function checkTarget(gate: GateYaml, target: string, one: GateTarget): void {
  if (!Object.hasOwn(gate.repositories, one.repository)) {
    throw new SluiceError(
      "gate-configuration-invalid",
      `Target ${target} names repository ${one.repository}, which is not listed.`,
      {
        fix: `add ${one.repository} under repositories`,
      },
    );
  }
  if (one.channels.some((channel) => !("directory" in channel))) {
    throw new SluiceError(
      "not-supported",
      `Target ${target} releases to a branch or a registry, which is not there yet.`,
      {
        fix: "use {directory: PATH}",
      },
    );
  }
}
