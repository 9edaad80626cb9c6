/** Secrets stand in configuration only by reference: `{file: PATH}` with mode 0600, or `{env: NAME}`. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { SluiceError } from "../lib/errors.ts";

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

/** @throws SluiceError `secret-missing`, `secret-readable-by-others`: never with the secret in the message */
export function readSecret(reference: SecretReference, folder: string, environment: Environment): string {
  if ("file" in reference) return readSecretFile(resolve(folder, reference.file));
  const value = environment[reference.env];
  if (value !== undefined && value !== "") return value;
  throw new SluiceError("secret-missing", `The environment variable ${reference.env} is not set.`, {
    fix: `set ${reference.env} for this process`,
  });
}

/** One open, then looked at and read through the same descriptor, so that nothing is swapped in between. */
export function readSecretFile(path: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    throw new SluiceError("secret-missing", `${path} cannot be read.`, { fix: `create ${path} with mode 0600`, cause });
  }
  try {
    const found = fstatSync(descriptor);
    const { mode, size } = found;
    if (!found.isFile()) throw new SluiceError("secret-missing", `${path} is not a file.`);
    if ((mode & 0o077) !== 0) {
      throw new SluiceError(
        "secret-readable-by-others",
        `${path} has mode ${(mode & 0o777).toString(8)}; a secret's file is 0600.`,
        {
          fix: `chmod 600 ${path}`,
        },
      );
    }
    if (size > MAXIMUM_SECRET_BYTES) throw new SluiceError("secret-missing", `${path} is too large for a key.`);
    const secret = readFileSync(descriptor, "utf8").trim();
    if (secret === "") throw new SluiceError("secret-missing", `${path} is empty.`);
    return secret;
  } finally {
    closeSync(descriptor);
  }
}
