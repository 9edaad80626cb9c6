/** URLs that a gate may fetch from, and how its secrets reach git: by the environment of one child, never as an argument. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeBase64, utf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { GitAnswer } from "./process.ts";
import type { Protocol } from "./store.ts";

export type GitCredentials =
  | { readonly kind: "token"; readonly username: string; readonly token: string }
  /** Both absolute paths; hosts that the file does not list are refused. */
  | { readonly kind: "ssh"; readonly keyFile: string; readonly knownHostsFile: string }
  /** The operator's running ssh agent, by the path of its socket. */
  | { readonly kind: "ssh-agent"; readonly socket: string; readonly knownHostsFile: string };

export interface Remote {
  readonly url: string;
  readonly protocol: Protocol;
  /** Set for `file`: such a repository is served to git through a bare repository of our own. */
  readonly localPath: string | null;
}

const SCP_LIKE = /^[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s:-][^\s]*$/;
const SSH_COMMAND =
  "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o ClearAllForwardings=yes -o PermitLocalCommand=no";

/** @throws SluiceError `url-refused` */
export function requireRemote(url: string): Remote {
  if (/[\u0000-\u0020\u007f]/.test(url)) throw refused("contains spaces or control characters");
  if (url.startsWith("/")) return { url, protocol: "file", localPath: resolve(url) };
  if (SCP_LIKE.test(url)) return { url, protocol: "ssh", localPath: null };
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) throw refused("is not a URL");
  if (parsed.password !== "" || parsed.search !== "" || parsed.hash !== "")
    throw refused("contains a password or a query");
  if (parsed.protocol === "file:") return localRemote(url, parsed);
  if (parsed.hostname === "" || parsed.hostname.startsWith("-")) throw refused("names no host");
  if (parsed.protocol === "https:" && parsed.username === "") return { url, protocol: "https", localPath: null };
  if (parsed.protocol === "http:" && parsed.username === "" && isThisMachine(parsed.hostname)) {
    return { url, protocol: "http", localPath: null };
  }
  if (parsed.protocol === "ssh:" && /^[A-Za-z0-9._-]*$/.test(parsed.username) && !parsed.username.startsWith("-")) {
    return { url, protocol: "ssh", localPath: null };
  }
  throw refused("is none of https (without a user name), ssh, file, or http on 127.0.0.1");
}

/** Nobody else is on the way to a server on this machine. A name such as localhost is whatever a resolver says it is. */
function isThisMachine(hostname: string): boolean {
  return hostname === "127.0.0.1" || hostname === "[::1]";
}

function localRemote(url: string, parsed: URL): Remote {
  if (parsed.hostname !== "" || /%00|%2f/i.test(parsed.pathname)) throw refused("names a file of another host");
  return { url, protocol: "file", localPath: fileURLToPath(parsed) };
}

/** Environment that carries the credentials to one fetch. @throws SluiceError `url-refused` when they do not fit the URL */
export function remoteEnvironment(remote: Remote, credentials: GitCredentials | null): Record<string, string> {
  if (remote.protocol === "ssh") return sshEnvironment(credentials);
  if (credentials === null) return {};
  if (remote.protocol !== "https" || credentials.kind !== "token")
    throw refused("does not fit the kind of its credentials");
  const basic = encodeBase64(utf8(`${credentials.username}:${credentials.token}`));
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${new URL(remote.url).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}

function sshEnvironment(credentials: GitCredentials | null): Record<string, string> {
  if (credentials === null) return { GIT_SSH_COMMAND: SSH_COMMAND, GIT_SSH_VARIANT: "ssh" };
  if (credentials.kind === "token") throw refused("does not fit the kind of its credentials");
  const hosts = `-o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=${shellQuoted(credentials.knownHostsFile)}`;
  if (credentials.kind === "ssh-agent") {
    return { GIT_SSH_COMMAND: `${SSH_COMMAND} ${hosts}`, GIT_SSH_VARIANT: "ssh", SSH_AUTH_SOCK: credentials.socket };
  }
  const key = `-o IdentitiesOnly=yes -o IdentityAgent=none -i ${shellQuoted(credentials.keyFile)}`;
  return { GIT_SSH_COMMAND: `${SSH_COMMAND} ${hosts} ${key}`, GIT_SSH_VARIANT: "ssh" };
}

function shellQuoted(path: string): string {
  if (!path.startsWith("/") || /["\s%\\\u0000-\u001f]/.test(path))
    throw refused("has key files without a plain absolute path");
  return `'${path.replaceAll("'", "'\\''")}'`;
}

function refused(why: string): SluiceError {
  return new SluiceError("url-refused", `The URL of the repository ${why}.`);
}

export function fetchFailed(answer: GitAnswer): SluiceError {
  return new SluiceError("fetch-failed", "git could not fetch from the configured URL.", {
    retryable: true,
    cause: new Error(answer.stderr),
  });
}
