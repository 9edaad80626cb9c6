/** The parts of gate.yaml that say where the service listens and who may call it; and `tokens.yaml`. */
import * as z from "zod";
import { SluiceError } from "../lib/errors.ts";
import { duration } from "./parts.ts";

/** Fixed: what each may do stands in the list of routes, not in anybody's configuration. */
export const ROLES = ["reader", "auditor", "approver", "operator", "admin", "caller"] as const;
export type Role = (typeof ROLES)[number];

const DEFAULT_PORT = 8443;
const DEFAULT_ADMISSION_PORT = 9443;
const SHORTEST_DEADLINE_MS = 100;
/** The API server waits 30 s at most; an answer after that is no answer. */
const LONGEST_DEADLINE_MS = 29_000;

const path = z.string().min(1).max(4000);
const port = z.int().min(0).max(65_535);
const address = z.union([z.ipv4(), z.ipv6()]);
const deadline = duration(SHORTEST_DEADLINE_MS, LONGEST_DEADLINE_MS, "5s, from 100ms to 29s");

const tls = z.strictObject({
  certificate: path.describe("PEM file: the server's certificate and what it needs above it."),
  key: path.describe("PEM file with mode 0600."),
});

export const listenSchema = z.strictObject({
  address: address.default("127.0.0.1").describe("IP address; beyond loopback only with `tls` and `access`."),
  port: port.default(DEFAULT_PORT).describe("0 takes a free one."),
  tls: tls.optional().describe("Without it the service speaks plain HTTP."),
});

export const admissionSchema = z.strictObject({
  address: address.default("127.0.0.1").describe("IP address; beyond loopback only with `tls.clients`."),
  port: port.default(DEFAULT_ADMISSION_PORT).describe("0 takes a free one."),
  target: z.string().min(1).max(63).describe("Whose judge and policies answer."),
  tls: tls
    .extend({
      clients: path.optional().describe("PEM file of the authorities of client certificates; others are turned away."),
    })
    .describe("An API server calls nothing without TLS."),
  deadline: deadline.default("5s").describe("After it the answer is a refusal; shorter than the webhook's own."),
});

/** What stands for a person in the log; no white space, so that no name imitates two. */
const person = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/, "is a name of letters, digits and . _ @ -");
const targets = z.array(z.string().min(1).max(63)).min(1).max(200);
const until = z.iso.date();

const grant = z.strictObject({
  role: z.enum(ROLES).describe("What it may do: docs/reference/routes.md."),
  person: person.optional().describe("Who stands behind it; the subject itself where nothing is said."),
  targets: targets.optional().describe("Only these targets; absent: all."),
  until: until.optional().describe("First day on which it no longer counts; an auditor has one."),
});

export const accessSchema = z
  .strictObject({
    tokens: z
      .strictObject({ file: path.describe("tokens.yaml, mode 0600, written by `sluice token new`.") })
      .optional()
      .describe("Bearer tokens."),
    certificates: z
      .strictObject({
        ca: path.describe("PEM file of the authorities of client certificates."),
        subjects: z
          .record(z.string().min(3).max(500), z.union([z.enum(ROLES), grant]))
          .describe("By whole subject, for example CN=apiserver or `O=example, CN=ada`."),
      })
      .optional()
      .describe("Client certificates; need `listen.tls`."),
  })
  .refine((one) => one.tokens !== undefined || one.certificates !== undefined, "names tokens or certificates");

export const tokensSchema = z.strictObject({
  version: z.literal(1).describe("Form of this file."),
  tokens: z
    .array(
      z.strictObject({
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .describe("SHA-256 of the token; the token itself is kept nowhere."),
        role: z.enum(ROLES).describe("What it may do: docs/reference/routes.md."),
        person: person.describe("Who it was made for."),
        targets: targets.optional().describe("Only these targets; absent: all."),
        until: until.optional().describe("First day on which it no longer counts; an auditor has one."),
      }),
    )
    .max(1000)
    .describe("One for each token; removing it takes the token away."),
});

export type ListenYaml = z.infer<typeof listenSchema>;
export type AccessYaml = z.infer<typeof accessSchema>;
export type AdmissionYaml = z.infer<typeof admissionSchema>;
export type Grant = z.infer<typeof grant>;
export type TokenYaml = z.infer<typeof tokensSchema>["tokens"][number];

interface Doors {
  readonly listen: ListenYaml;
  readonly access?: AccessYaml | undefined;
  readonly admission?: AdmissionYaml | undefined;
  readonly targets: Readonly<Record<string, unknown>>;
}

/** @throws SluiceError `listen-unsafe` where somebody from elsewhere could come in unasked; `gate-configuration-invalid` */
export function checkDoors({ listen, access, admission, targets: known }: Doors): void {
  if (!isLoopback(listen.address) && (listen.tls === undefined || access === undefined)) {
    throw new SluiceError("listen-unsafe", `The service would listen on ${listen.address} without TLS and access.`, {
      fix: "set listen.tls and access in gate.yaml, or listen on 127.0.0.1",
    });
  }
  if (access?.certificates !== undefined && listen.tls === undefined) {
    throw new SluiceError("listen-unsafe", "Client certificates are named, and nothing would ask for one.", {
      fix: "set listen.tls in gate.yaml",
    });
  }
  for (const [subject, given] of Object.entries(access?.certificates?.subjects ?? {})) {
    const { role, until: end } = asGrant(given);
    if (role === "auditor" && end === undefined) throw endless(`The certificate ${subject}`);
  }
  if (admission === undefined) return;
  if (!isLoopback(admission.address) && admission.tls.clients === undefined) {
    throw new SluiceError("listen-unsafe", `Anybody who reaches ${admission.address} could ask for admission.`, {
      fix: "set admission.tls.clients in gate.yaml, or listen on 127.0.0.1",
    });
  }
  if (Object.hasOwn(known, admission.target)) return;
  throw new SluiceError(
    "gate-configuration-invalid",
    `admission names target ${admission.target}, which is not listed.`,
    {
      fix: "name one of the targets",
    },
  );
}

export function asGrant(given: Role | Grant): Grant {
  return typeof given === "string" ? { role: given } : given;
}

/** An auditor comes for a time. */
export function endless(who: string): SluiceError {
  return new SluiceError("access-endless", `${who} is an auditor's and has no end.`, { fix: "set until: DATE" });
}

/** 127.0.0.0/8 and ::1; an IPv4 address inside IPv6 is none of them. */
export function isLoopback(text: string): boolean {
  return text === "::1" || (!text.includes(":") && text.startsWith("127."));
}
