/** A real git server over HTTP on loopback: git's own `http-backend`, as any web server runs it. */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "./temp.ts";

/** Serves every bare repository below `folder` for reading; answers `http://127.0.0.1:PORT`. */
export async function serveGit(scope: Scope, folder: string): Promise<string> {
  const server = createServer((request, response) => answer(folder, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** CGI (RFC 3875): the request as environment and standard input, the answer as headers, an empty line and a body. */
function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const protocol = request.headers["git-protocol"];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "uploadpack.allowAnySHA1InWant",
    GIT_CONFIG_VALUE_0: "true",
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    REMOTE_ADDR: "127.0.0.1",
    ...(request.headers["content-encoding"] === undefined
      ? {}
      : { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] }),
    ...(typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}),
  };
  const backend = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  backend.stdin.on("error", () => undefined); // it may answer before it has read everything
  request.pipe(backend.stdin);
  let head: Buffer | null = Buffer.alloc(0);
  backend.stdout.on("data", (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    writeHead(response, head.subarray(0, end).toString("latin1"));
    response.write(head.subarray(end + 4));
    head = null;
  });
  backend.stdout.on("end", () => response.end());
  backend.on("error", () => response.destroy());
}

function writeHead(response: ServerResponse, head: string): void {
  const headers = head.split("\r\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const status = headers.find(([name]) => name.toLowerCase() === "status")?.[1] ?? "200";
  const rest = headers.filter(([name]) => name.toLowerCase() !== "status");
  response.writeHead(Number.parseInt(status, 10), Object.fromEntries(rest));
}
