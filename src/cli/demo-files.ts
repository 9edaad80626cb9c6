/** What the demo's repository, gate and agent hold: the files of examples/, with the demo's own keys in place of theirs. */
import { join } from "node:path";
import { packageRoot } from "../gate/judge-wiring.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { readFolderFiles, readRegularFile } from "./folder-files.ts";

/** Everything of examples/shop by its path. `keys` are SSH lines or files of the trust folder, by owner. */
export function shopFiles(keys: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const files = readFolderFiles(join(packageRoot(), "examples/shop"));
  const texts = [...files].map(([path, bytes]): [string, string] => [path, decodeUtf8(bytes) ?? ""]);
  return Object.fromEntries(texts.map(([path, text]) => [path, withSshKeys(text, keys)]));
}

/** An example key is `ssh-ed25519 AAAA... owner`. */
function withSshKeys(text: string, keys: Readonly<Record<string, string>>): string {
  return text.replace(/ssh-ed25519 \S+ (\w+)/g, (key, owner: string) => keys[owner] ?? key);
}

/** @param agentKey verifier key, as in {@link agentYaml} */
export function gateYaml(agentKey: string): string {
  return withNoteKeys(readExample("gate/gate.yaml"), [agentKey]);
}

export function agentYaml(logKey: string, releaseKey: string): string {
  return withNoteKeys(readExample("agent/agent.yaml"), [logKey, releaseKey]);
}

/** A verifier key is `name+hash+base64`; each of the given stands in for the example's key of its name. */
function withNoteKeys(text: string, keys: readonly string[]): string {
  const byName = new Map(keys.map((key) => [key.split("+")[0], key]));
  return text.replace(/"([^"+]+)\+[0-9a-f]{8}\+[\w+/=]+"/g, (found, name: string) => {
    const key = byName.get(name);
    return key === undefined ? found : `"${key}"`;
  });
}

export interface DeploymentText {
  readonly image: string;
  readonly replicas: number;
  /** The container's security context, as YAML. */
  readonly security: string;
}

export const PINNED =
  "registry.example/web:1.6@sha256:1f0e2b6d7c9a4e5f8b3d2c1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e";

/** The example's Deployment, edited. */
export function deployment({ image, replicas, security }: DeploymentText): string {
  return readExample("shop/clusters/prod/web.yaml")
    .replace(/(?<=^ +replicas: ).*/m, () => String(replicas))
    .replace(/(?<=^ +image: ).*/m, () => image)
    .replace(/(?<=^ +securityContext: )\{capabilities.*/m, () => security);
}

function readExample(path: string): string {
  const bytes = readRegularFile(join(packageRoot(), "examples", path));
  if (bytes === null) throw new SluiceError("internal", `the package lacks examples/${path}`);
  return decodeUtf8(bytes) ?? "";
}
