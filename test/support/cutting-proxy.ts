/**
 * A way to PostgreSQL that breaks where a test says: right before the k-th message of either side. Messages are framed as
 * in the protocol, version 3: a letter and a length, but for the first of the client, which has no letter.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Side = "client" | "server";

export interface CuttingProxy {
  readonly port: number;
  /** From now on, the message of that side with this number (from 1) is not passed on, and both ends are cut. */
  cutBefore(side: Side, message: number): void;
  /** Whether it came to that; nothing is cut from now on. */
  disarm(): boolean;
}

interface Cut {
  readonly side: Side;
  left: number;
  isDone: boolean;
}

export async function startCuttingProxy(
  scope: { after(cleanup: () => unknown): void },
  socketPath: string,
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cut: Cut | null = null;
  const server = createServer((client) => {
    const behind = connect(socketPath);
    const ends = [client, behind];
    const end = () => {
      for (const one of ends) one.destroy();
    };
    for (const one of ends) {
      sockets.add(one);
      one.on("error", end).on("close", end);
    }
    pass("client", client, behind, end);
    pass("server", behind, client, end);
  });
  const pass = (side: Side, from: Socket, to: Socket, end: () => void) => {
    let waiting = Buffer.alloc(0);
    let lettered = side === "server" ? 1 : 0;
    from.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      for (;;) {
        if (waiting.byteLength < lettered + 4) return;
        const length = lettered + waiting.readInt32BE(lettered);
        if (waiting.byteLength < length) return;
        const message = waiting.subarray(0, length);
        waiting = waiting.subarray(length);
        lettered = 1;
        if (cut !== null && cut.side === side && !cut.isDone && --cut.left === 0) {
          cut.isDone = true;
          end();
          return;
        }
        to.write(message);
      }
    });
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    cutBefore: (side, message) => {
      cut = { side, left: message, isDone: false };
    },
    disarm: () => {
      const wasCut = cut?.isDone ?? false;
      cut = null;
      return wasCut;
    },
  };
}
