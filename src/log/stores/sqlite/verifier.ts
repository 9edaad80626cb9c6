/** A thread that verifies the runs of entries it is told, one after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { databaseSource } from "../../source.ts";
import { verifyRange } from "../../verify-range.ts";
import type { ToVerifier, VerifierOptions } from "./verifiers.ts";

if (parentPort !== null) {
  const port = parentPort;
  const { path, size } = workerData as VerifierOptions;
  const source = databaseSource(path);
  port.on("message", ({ start, end }: ToVerifier) => port.postMessage(verifyRange(source, start, end, size)));
}
