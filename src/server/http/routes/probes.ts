/** For machines that watch: is it alive, is it ready, what does it count, what are its routes. */
import * as z from "zod";
import { code } from "../../../gate/json/schemas/parts.ts";
import { SluiceError } from "../../../lib/errors.ts";
import { VERSION } from "../../../lib/version.ts";
import { defineRoute, EVERYBODY, json, READERS, text } from "../define.ts";
import { apiVersion, name } from "../fields.ts";
import { metricsText } from "../metrics.ts";
import { openApiDocument } from "../openapi.ts";

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

export const healthz = defineRoute({
  id: "healthz",
  method: "GET",
  path: "/healthz",
  summary: "The process is alive and answers; nothing else is asked.",
  roles: EVERYBODY,
  pace: "open",
  isLogged: false,
  answer: z.strictObject({ apiVersion, kind: z.literal("Health"), status: z.literal("ok") }),
  handle: async () => json({ apiVersion: "sluice/v1", kind: "Health", status: "ok" }),
});

export const readyz = defineRoute({
  id: "readyz",
  method: "GET",
  path: "/readyz",
  summary: "Whether decisions can be made and logged: 200, or 503 where not.",
  roles: EVERYBODY,
  pace: "open",
  isLogged: false,
  answer: z.strictObject({
    apiVersion,
    kind: z.literal("Readiness"),
    ready: z.boolean(),
    facts: z
      .array(z.strictObject({ what: name, code: code.nullable(), message: z.string() }))
      .describe("What was looked at; empty for callers that the service does not know."),
  }),
  async handle({ view, principal }) {
    const { ready, facts } = await view.readiness();
    const shown = principal.role === "nobody" ? [] : facts;
    return json({ apiVersion: "sluice/v1", kind: "Readiness", ready, facts: shown }, ready ? 200 : 503);
  },
});

export const metrics = defineRoute({
  id: "metrics",
  method: "GET",
  path: "/metrics",
  summary: "Counts in Prometheus' text format.",
  roles: READERS,
  isLogged: false,
  answer: { type: PROMETHEUS_TEXT },
  async handle({ view, principal, traffic }) {
    if (principal.targets !== null) throw new SluiceError("not-permitted", "Counts are of every target.");
    return text(metricsText(await view.metrics(), traffic.byRoute(), VERSION), PROMETHEUS_TEXT);
  },
});

export const openApi = defineRoute({
  id: "openapi",
  method: "GET",
  path: "/openapi.json",
  summary: "This document.",
  roles: EVERYBODY,
  isLogged: false,
  answer: z.looseObject({ openapi: z.string() }),
  handle: async ({ routes }) => json(openApiDocument(routes)),
});
