/** A witness over HTTP: two routes of C2SP tlog-witness, and nothing else. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { encodeHex, utf8 } from "../lib/bytes.ts";
import { sha256 } from "../lib/digest.ts";
import { asSluiceError } from "../lib/errors.ts";
import { addCheckpoint, MAXIMUM_REQUEST_BYTES, type Witness } from "../log/witness/add-checkpoint.ts";
import { readBytes } from "./http/body.ts";
import { listenOn, type Place } from "./listening.ts";

const REQUEST_DEADLINE_MS = 5000;
const MAXIMUM_CONNECTIONS = 200;
const TEXT_TYPE = "text/plain; charset=utf-8";

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface WitnessListener {
  /** `http://ADDRESS:PORT`, where it really listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws SluiceError `listen-failed` */
export async function listenAsWitness(witness: Witness, place: Place): Promise<WitnessListener> {
  const server = createServer({ requestTimeout: REQUEST_DEADLINE_MS, headersTimeout: REQUEST_DEADLINE_MS });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  server.on("request", (request, response) => {
    const send = ({ status, type, body }: Answer): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    };
    answer(witness, request).then(send, () => send(text(500, "the witness cannot write its memory")));
  });
  return { url: `http://${await listenOn(server, place)}`, close: () => closed(server) };
}

async function answer(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const path = request.url ?? "";
  if (path === "/add-checkpoint") {
    if (request.method !== "POST") return text(405, "POST a checkpoint here");
    const body = await bodyOf(request);
    return body === null ? text(413, "the request is too large") : addCheckpoint(witness, body);
  }
  const log = witness.logs.find(({ origin }) => path === `/${encodeHex(sha256(utf8(origin)))}/checkpoint`);
  if (log === undefined) return text(404, "there is nothing here");
  if (request.method !== "GET") return text(405, "GET the last checkpoint here");
  const seen = witness.store.seen(log.origin);
  return seen === null
    ? text(404, "nothing was seen of this log yet")
    : { status: 200, type: TEXT_TYPE, body: seen.note };
}

/** null for one that is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  try {
    return Buffer.from(await readBytes(request, MAXIMUM_REQUEST_BYTES)).toString("utf8");
  } catch (thrown) {
    if (asSluiceError(thrown).code === "request-too-large") return null;
    throw thrown;
  }
}

function text(status: number, sentence: string): Answer {
  return { status, type: TEXT_TYPE, body: `${sentence}\n` };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
