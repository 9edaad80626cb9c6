/** Puts a server where it shall listen. */
import type { AddressInfo, Server } from "node:net";
import { SluiceError } from "../lib/errors.ts";

export interface Place {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** `127.0.0.1:8443` or `[::1]:8443`: where it really listens. @throws SluiceError `listen-failed` */
export function listenOn(server: Server, { address, port }: Place): Promise<string> {
  return new Promise((done, fail) => {
    server.once("error", (cause) => {
      fail(new SluiceError("listen-failed", `Nothing can listen on ${address}, port ${port}.`, { cause }));
    });
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address() as AddressInfo;
      done(`${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`);
    });
  });
}
