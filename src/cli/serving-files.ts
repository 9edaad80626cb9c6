/** Of a gate.yaml, what only `serve` reads: who may call, certificates, secrets of hints, where the log lies. */
import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { readConfigurationFile } from "../config/configuration-file.ts";
import type { GateConfiguration } from "../config/gate-yaml.ts";
import { type Environment, readSecretFile } from "../config/secret.ts";
import { typed } from "../lib/shell-word.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import { postgresPlace } from "../log/stores.ts";
import { readHintSecrets } from "../server/access/hints.ts";
import { readTokens } from "../server/access/tokens.ts";
import { usable } from "../server/listening.ts";
import { counted } from "./counted.ts";
import { examine, failure, fine, type Remark, warning } from "./remark.ts";

/** As `trust check` says it of keys. */
const SOON_MS = 30 * 24 * 60 * 60_000;

/** `path` is gate.yaml's, for commands to type. */
export async function examineServing(
  configuration: GateConfiguration,
  path: string,
  environment: Environment,
  now: Instant,
): Promise<readonly Remark[]> {
  const { gate, folder } = configuration;
  const remarks: Remark[] = [];
  const store = await examine("", "log.store", () => {
    postgresPlace({ store: gate.log.store });
    return "";
  });
  if (store.state === "FAIL") remarks.push(store);
  const tokens = gate.access?.tokens;
  if (tokens !== undefined)
    remarks.push(await examine("", tokens.file, () => tokensRemark(tokens.file, folder, path, now)));
  const clients = gate.access?.certificates?.ca;
  for (const [what, tls, ca] of [
    ["listen.tls", gate.listen?.tls, clients],
    ["admission.tls", gate.admission?.tls, gate.admission?.tls.clients],
  ] as const) {
    if (tls === undefined) continue;
    remarks.push(await examine("", tls.certificate, () => certificateRemark(what, tls, ca, folder, now)));
  }
  if (Object.values(gate.repositories).some(({ hint }) => hint !== undefined)) {
    const names = (): string => [...readHintSecrets(configuration, environment).keys()].join(", ");
    remarks.push(await examine("", "hint secrets", names));
  }
  return remarks;
}

function tokensRemark(file: string, folder: string, path: string, now: Instant): Remark {
  const full = resolve(folder, file);
  const tokens = readTokens(full);
  const ends = tokens.flatMap(({ person, role, until }) => {
    const end = until === undefined ? null : parseTime(until);
    return end !== null && end > now && end - now < SOON_MS ? [`${person} (${role}) on ${until}`] : [];
  });
  const count = counted(tokens.length, "token");
  return ends.length === 0
    ? fine("", file, count)
    : warning(
        "",
        file,
        `${count}; these end within 30 days: ${ends.join(", ")}.`,
        `sluice token new --role ROLE --person NAME --until DATE --config ${typed(path)}`,
      );
}

interface Tls {
  readonly certificate: string;
  readonly key: string;
}

function certificateRemark(what: string, tls: Tls, clients: string | undefined, folder: string, now: Instant): Remark {
  const { certificate, key } = tls;
  const read = (file: string): string => readConfigurationFile(resolve(folder, file));
  const ca = clients === undefined ? {} : { ca: read(clients) };
  const pair = usable({ cert: read(certificate), key: readSecretFile(resolve(folder, key)), ...ca }, what);
  const end = Date.parse(new X509Certificate(pair.cert).validTo);
  const day = formatTime(end).slice(0, 10);
  const fix = `put a new one into ${certificate}, then reload the service: systemctl reload sluice`;
  if (end <= now) return failure("", certificate, `The certificate of ${what} ended on ${day}: nobody connects.`, fix);
  if (end - now < SOON_MS) return warning("", certificate, `The certificate of ${what} ends on ${day}.`, fix);
  return fine("", certificate, `certificate of ${what} until ${day}`);
}
