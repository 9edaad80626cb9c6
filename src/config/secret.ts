/** Secrets stand in configuration only by reference: `{file: PATH}` with mode 0600, or `{env: NAME}`. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { SluiceError } from "../lib/errors.ts";
import { typed } from "../lib/shell-word.ts";

export const secretSchema = z.union([
  z.strictObject({ file: z.string().min(1).describe("Path of a file with mode 0600, from this file's folder.") }),
  z.strictObject({
    env: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .describe("Name of an environment variable."),
  }),
]);
export type SecretReference = z.infer<typeof secretSchema>;

/** The only thing here that looks at the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

const MAXIMUM_SECRET_BYTES = 64 * 1024;

/** A kind of key that `sluice keygen` makes, and the name that it gets. */
export interface KeyWish {
  readonly use: "log" | "release" | "agent" | "witness";
  readonly name: string;
}

export function logKey(origin: string): KeyWish {
  return { use: "log", name: origin };
}

/** Called as the log beside which it signs. */
export function releaseKey(origin: string): KeyWish {
  return { use: "release", name: origin.replace(/[^/]*$/, "release") };
}

/**
 * A file that is not there is answered with the command that makes it, where `wish` says which one does.
 * @throws SluiceError `secret-missing`, `secret-readable-by-others`: never with the secret in the message
 */
export function readSecret(
  reference: SecretReference,
  folder: string,
  environment: Environment,
  wish?: KeyWish,
): string {
  if ("file" in reference) {
    const path = resolve(folder, reference.file);
    return readSecretFile(path, wish === undefined ? undefined : keygenText(wish, path));
  }
  const value = environment[reference.env];
  if (value !== undefined && value !== "") return value;
  throw new SluiceError("secret-missing", `The environment variable ${reference.env} is not set.`, {
    fix: `set ${reference.env} for this process`,
  });
}

/** A log goes on under its own key only, so a new one would help a new log only. */
function keygenText({ use, name }: KeyWish, path: string): string {
  const command = `sluice keygen ${use} --name ${typed(name)} --out ${typed(path)}`;
  return use === "log" ? `for a new log: ${command}; one that has entries needs the key that it had` : command;
}

/**
 * One open, then looked at and read through the same descriptor, so that nothing is swapped in between. `maker` is what
 * to type where there is no such file.
 */
export function readSecretFile(path: string, maker: string = `create ${path} with mode 0600`): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const fix = isAbsent ? maker : `ls -l ${typed(path)}: whose is it, and who am I?`;
    throw new SluiceError("secret-missing", `${path} ${isAbsent ? "does not exist" : "cannot be read"}.`, {
      fix,
      cause,
    });
  }
  try {
    const found = fstatSync(descriptor);
    const { mode, size } = found;
    if (!found.isFile()) throw new SluiceError("secret-missing", `${path} is not a file.`, { fix: "name a file" });
    if ((mode & 0o077) !== 0) {
      throw new SluiceError(
        "secret-readable-by-others",
        `${path} has mode ${(mode & 0o777).toString(8)}; a secret's file is 0600.`,
        {
          fix: `chmod 600 ${typed(path)}`,
        },
      );
    }
    if (size > MAXIMUM_SECRET_BYTES) throw new SluiceError("secret-missing", `${path} is too large for a key.`);
    const secret = readFileSync(descriptor, "utf8").trim();
    if (secret === "") throw new SluiceError("secret-missing", `${path} is empty.`, { fix: maker });
    return secret;
  } finally {
    closeSync(descriptor);
  }
}
