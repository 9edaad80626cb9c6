/** The service's listeners: what they show of the service, and how they go along with reload and stop. */
import type { GateConfiguration } from "../config/gate-yaml.ts";
import type { Means } from "../gate/judge-wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { openHints, readHintSecrets } from "./access/hints.ts";
import { type AdmissionServer, serveAdmission } from "./http/admission-listener.ts";
import { type HttpOptions, type HttpServer, serveHttp } from "./http/server.ts";
import { failureFields, type Journal } from "./journal.ts";
import { openLogView } from "./log-view.ts";
import { serviceOrders } from "./orders.ts";
import type { Service } from "./service.ts";
import type { ServiceView } from "./view.ts";

/** What is under way may end for so long after a signal. */
const GRACE_MS = 10_000;

export interface Door {
  readonly url: string;
  /** Where a cluster's API server asks; null where gate.yaml names no such listener. */
  readonly admissionUrl: string | null;
  /** @throws SluiceError and then everything stays as it was */
  reload(next: GateConfiguration): void;
  close(): Promise<void>;
}

/** @throws SluiceError what serveHttp() and serveAdmission() throw: `listen-failed`, `tokens-invalid` and the like */
export async function openDoor(service: Service, means: Means, journal: Journal): Promise<Door> {
  const { gate, folder } = service.gate.configuration;
  const { clock, random } = means;
  const { environment } = means.surroundings;
  const hints = openHints(readHintSecrets(service.gate.configuration, environment), clock);
  const hint: ServiceView["hint"] = async (signed) => {
    if ("forge" in signed) hints.checkForge(signed);
    else hints.check(signed);
    service.hint(signed.repository);
  };
  const shared: Shared = {
    view: { ...openLogView(service.gate.log), ...serviceOrders(service), hint },
    folder,
    clock,
    random,
    onRequest: ({ milliseconds, cause, ...seen }) => {
      const met = cause === null ? {} : { at: failureFields(cause)["at"] ?? null };
      journal.say(seen.status >= 500 ? "error" : "info", "answered", { ...seen, ms: Math.round(milliseconds), ...met });
    },
  };
  const admission = await openAdmission(service, shared);
  const server = await openHttp({ ...shared, listen: gate.listen, access: gate.access }, admission);
  return {
    url: server.url,
    admissionUrl: admission?.url ?? null,
    reload(next) {
      refuseOtherListeners(gate.admission, next.gate.admission);
      const secrets = readHintSecrets(next, environment);
      const { listen, access, admission: asked } = next.gate;
      const ready = [server.reread({ listen, access }), ...(asked === undefined ? [] : [admission?.reread(asked)])];
      for (const putInForce of ready) putInForce?.(); // all of it was read by now: the old ones stay together, too
      hints.replaceSecrets(secrets);
    },
    async close() {
      await Promise.all([server.close(GRACE_MS), admission?.close(GRACE_MS)]);
    },
  };
}

type Shared = Pick<HttpOptions, "view" | "folder" | "clock" | "random" | "onRequest">;

/** The judge is read meanwhile, so that the first request does not wait for it; what fails then is met again when it is asked. */
async function openAdmission(service: Service, shared: Shared): Promise<AdmissionServer | null> {
  const { admission } = service.gate.configuration.gate;
  if (admission === undefined) return null;
  const server = await serveAdmission({ ...shared, admission });
  service.standing.of(admission.target).then(
    (standing) => standing.read().catch(() => undefined),
    () => undefined,
  );
  return server;
}

async function openHttp(options: HttpOptions, admission: AdmissionServer | null): Promise<HttpServer> {
  try {
    return await serveHttp(options);
  } catch (cause) {
    await admission?.close(0);
    throw cause;
  }
}

/** A listener is made when the service starts: one that comes, goes or moves needs a restart. @throws SluiceError `restart-needed` */
function refuseOtherListeners(
  now: GateConfiguration["gate"]["admission"],
  next: GateConfiguration["gate"]["admission"],
): void {
  if (now?.address === next?.address && now?.port === next?.port) return;
  throw new SluiceError("restart-needed", "The new gate.yaml names another listener for admission requests.", {
    fix: "stop the service and start it again",
  });
}
