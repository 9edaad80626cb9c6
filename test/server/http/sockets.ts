/** Sockets of callers that are slow, and how long the servers of tests wait for them. */
import { connect, type Socket } from "node:net";

export const SHORT = { headersMs: 200, requestMs: 400, checkMs: 50, connections: 1000 };

/** All that comes until the other side ends, which it does by itself; meanwhile `drip` is sent again and again. */
export async function untilEnded(socket: Socket, drip: string): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  socket.on("error", () => undefined);
  const tap = setInterval(() => socket.writable && socket.write(drip), 10);
  await new Promise((done) => socket.once("close", done));
  clearInterval(tap);
  return Buffer.concat(chunks).toString("utf8");
}

export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}
