/** What gate.yaml says of where the log is kept: a file, or PostgreSQL with what it takes to reach it. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { SluiceError } from "../lib/errors.ts";
import type { LogPlace } from "../log/stores.ts";
import { readSecretFile } from "./secret.ts";

const path = z.string().min(1).max(4000);

export const storeFields = {
  store: z
    .string()
    .regex(/^[a-z]+:.+/)
    .refine((text) => !/^postgres:\/\/[^/@]*:[^/@]*@/.test(text), "has no password in it: `password: {file: PATH}`")
    .describe("sqlite:PATH, or postgres://USER@HOST:PORT/DATABASE for several replicas on one log."),
  password: z
    .strictObject({ file: path.describe("Path of a file with mode 0600, from this file's folder.") })
    .optional()
    .describe("Of PostgreSQL's user."),
  ca: path.optional().describe("Certificates in PEM that PostgreSQL's is verified against; the system's when absent."),
  data: path.optional().describe("With PostgreSQL: this replica's folder for its git stores and objects."),
};

/** The part of gate.yaml's `log` that says where. */
export interface StoreYaml {
  readonly store: string;
  readonly password?: { readonly file: string } | undefined;
  readonly ca?: string | undefined;
  readonly data?: string | undefined;
  readonly retention?: { readonly free?: number | undefined; readonly size?: number | undefined } | undefined;
}

/** @throws SluiceError `gate-configuration-invalid` */
export function checkStore(log: StoreYaml): void {
  const isFile = !log.store.startsWith("postgres:");
  const strange = (["password", "ca", "data"] as const).filter((key) => log[key] !== undefined);
  if (isFile && strange.length > 0)
    throw new SluiceError("gate-configuration-invalid", `log.${strange[0]} is only for a log in PostgreSQL.`, {
      fix: `remove ${strange.join(", ")} from log`,
    });
  if (isFile && log.retention?.size !== undefined)
    throw new SluiceError("gate-configuration-invalid", "log.retention.size is only for a log in PostgreSQL.", {
      fix: "remove size: the room of the log's own volume is seen",
    });
  if (!isFile && log.retention?.free !== undefined && log.retention.size === undefined)
    throw new SluiceError(
      "gate-configuration-invalid",
      "log.retention.free needs log.retention.size: how much room PostgreSQL has cannot be seen from here.",
      { fix: "log: {retention: {free: 20, size: 200}}, in GiB" },
    );
  if (!isFile && log.data === undefined)
    throw new SluiceError(
      "gate-configuration-invalid",
      "A log in PostgreSQL needs log.data, a folder on this machine.",
      {
        fix: "log: {data: ./data}",
      },
    );
}

/** With the password as its file says it now. @throws SluiceError `secret-missing`, `secret-readable-by-others` */
export function placeOfLog(log: StoreYaml, folder: string): LogPlace {
  return {
    store: storeOf(log, folder),
    password: log.password === undefined ? null : readSecretFile(resolve(folder, log.password.file)),
    ca: log.ca === undefined ? null : readCertificates(resolve(folder, log.ca)),
  };
}

export function storeOf({ store }: StoreYaml, folder: string): string {
  const [scheme = "", ...rest] = store.split(":");
  return scheme === "sqlite" ? `sqlite:${resolve(folder, rest.join(":"))}` : store;
}

/** Where the gate keeps what lies beside the log. */
export function dataFolderOf(log: StoreYaml, folder: string): string {
  return log.data === undefined
    ? resolve(storeOf(log, folder).slice("sqlite:".length), "..")
    : resolve(folder, log.data);
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SluiceError("gate-configuration-invalid", `${file} (log.ca) cannot be read.`, { cause });
  }
}
