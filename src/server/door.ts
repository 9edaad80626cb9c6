/** The service's listener: what it shows of the service, and how it goes along with reload and stop. */
import type { GateConfiguration } from "../config/gate-yaml.ts";
import type { Means } from "../gate/judge-wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { type HttpServer, serveHttp } from "./http/server.ts";
import { failureFields, type Journal } from "./journal.ts";
import { openLogView } from "./log-view.ts";
import { serviceOrders } from "./orders.ts";
import type { Service } from "./service.ts";

/** What is under way may end for so long after a signal. */
const GRACE_MS = 10_000;

export interface Door {
  readonly url: string;
  /** @throws SluiceError and then everything stays as it was */
  reload(next: GateConfiguration): void;
  close(): Promise<void>;
}

/** @throws SluiceError what serveHttp() throws: `listen-failed`, `tokens-invalid` and the like */
export async function openDoor(service: Service, { clock, random }: Means, journal: Journal): Promise<Door> {
  const { gate, folder } = service.gate.configuration;
  if (gate.admission !== undefined) {
    throw new SluiceError("not-supported", "The service does not judge admission requests yet.", {
      fix: "remove admission from gate.yaml",
    });
  }
  const server: HttpServer = await serveHttp({
    view: { ...openLogView(service.gate.log), ...serviceOrders(service) },
    listen: gate.listen,
    access: gate.access,
    folder,
    clock,
    random,
    onRequest: ({ milliseconds, cause, ...seen }) => {
      const met = cause === null ? {} : { at: failureFields(cause)["at"] ?? null };
      journal.say(seen.status >= 500 ? "error" : "info", "answered", { ...seen, ms: Math.round(milliseconds), ...met });
    },
  });
  return {
    url: server.url,
    reload: ({ gate: { listen, access } }) => server.reload({ listen, access }),
    close: () => server.close(GRACE_MS),
  };
}
