/** Puts a server where it shall listen, with a certificate that can be used. */
import type { AddressInfo, Server } from "node:net";
import { createSecureContext, type SecureContextOptions } from "node:tls";
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

/** What was read for TLS, tried before anything rests on it. @throws SluiceError `gate-configuration-invalid` */
export function usable<T extends SecureContextOptions>(tls: T, what: string): T {
  try {
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException; // its words could quote the file
    throw new SluiceError(
      "gate-configuration-invalid",
      `The certificate and key of ${what} cannot be used (${code}).`,
      {
        fix: "openssl x509 -noout -in CERTIFICATE, openssl pkey -noout -in KEY: each says whether it is one",
        cause,
      },
    );
  }
}
