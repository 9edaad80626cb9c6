/** Readers that are not ours: of the OpenAPI document, of the metrics, and a client that makes requests up from the first. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { SluiceError } from "../../../src/lib/errors.ts";
import { addToken, tokenText } from "../../../src/server/access/tokens.ts";
import { metricsText } from "../../../src/server/http/metrics.ts";
import { openApiDocument } from "../../../src/server/http/openapi.ts";
import { ROUTES } from "../../../src/server/http/routes.ts";
import { serveHttp } from "../../../src/server/http/server.ts";
import { openTraffic } from "../../../src/server/http/traffic.ts";
import type { ServiceView } from "../../../src/server/view.ts";
import { tempFolder } from "../../support/temp.ts";
import {
  ADOPTION,
  CHECK,
  entry,
  HOLD,
  LANDINGS,
  METRICS,
  READY,
  REDACTION,
  RELEASE,
  REVIEW,
  RULES,
  target,
  ULID,
  WAIVER,
} from "./samples.ts";

/** What .ci/run installs. */
const TOOLS = resolve(import.meta.dirname, "../../../node_modules/.cache/python/bin");
const CONFIGURATION = resolve(import.meta.dirname, "schemathesis.toml");
const skip = existsSync(join(TOOLS, "schemathesis")) ? false : "needs schemathesis, which .ci/run installs";

interface Run {
  readonly code: number;
  readonly output: string;
}

function run(name: string, args: readonly string[], cwd: string, input = ""): Promise<Run> {
  return new Promise((done) => {
    const child = execFile(join(TOOLS, name), args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    );
    child.stdin?.end(input);
  });
}

/** One of everything there is; what a caller makes up is not there. */
function plainView(): ServiceView {
  const unknown = (): never => {
    throw new SluiceError("target-unknown", "There is no target of this name.");
  };
  const holding = ({ scope }: { scope: string }) =>
    scope === "all" || scope === "prod" ? { index: 9, targets: ["prod"] } : unknown();
  return {
    entries: async () => ({ entries: [entry()], count: 1 }),
    entry: async (name) => (("index" in name ? name.index < 10 : name.id === ULID) ? entry() : null),
    proof: async () => "c2sp.org/tlog-proof@v1\n",
    releases: async () => [RELEASE],
    holds: async () => [HOLD],
    resource: async (path) => (path === "checkpoint" || path.startsWith("tile/0/") ? new Uint8Array([1]) : null),
    recordRead: async () => undefined,
    targets: async () => [target()],
    rules: async (name) => (name === "prod" ? RULES : unknown()),
    waivers: async () => [WAIVER],
    releaseFile: async (name) => (name === "prod" ? new Uint8Array([1]) : unknown()),
    check: async ({ repository }) => (repository === "shop" ? CHECK : unknown()),
    hold: async (request) => holding(request),
    resume: async (request) => holding(request),
    release: async (request) => (request.target === "prod" ? LANDINGS : unknown()),
    review: async ({ by, reason }) => ({ ...REVIEW, review: { index: 9, at: "2026-11-21T10:00:00.000Z", by, reason } }),
    reviewState: async () => null,
    adopt: async (request) => (request.target === "prod" ? ADOPTION : unknown()),
    redact: async ({ request: { by, reason } }) => ({ ...REDACTION, by, reason }),
    admit: async () => unknown(),
    approvalTarget: async () => "prod",
    approve: async () => {
      throw new SluiceError("approval-malformed", "This is not an approval.");
    },
    report: async (name) => (name === "prod" ? { index: 9 } : unknown()),
    rollback: async ({ target: name }) => (name === "prod" ? LANDINGS : unknown()),
    data: async ({ entrypoint, input }) => (entrypoint === "shop/deny" ? { result: input, id: ULID } : unknown()),
    hint: async () => {
      throw new SluiceError("hint-unsigned", "Nothing is signed here.");
    },
    readiness: async () => READY,
    metrics: async () => METRICS,
  };
}

describe("readers that are not ours", () => {
  it("find the document to be OpenAPI 3.1", { skip }, async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, "openapi.json"), JSON.stringify(openApiDocument(ROUTES)));
    const { code, output } = await run("openapi-spec-validator", ["openapi.json"], folder);
    assert.equal(code, 0, output);
  });

  it("read the metrics, each with its help and of its type, and every count that is in them", { skip }, async (t) => {
    const traffic = openTraffic();
    traffic.seen({ method: "GET", route: "targets", status: 200, seconds: 0.02 });
    traffic.seen({ method: "GET", route: "targets", status: 404, seconds: 40 });
    const polls = [{ repository: 'a "quoted"\\ name\n', succeeded: 1, failed: 0, lastSuccessAt: null }];
    const text = metricsText({ ...METRICS, polls }, traffic.byRoute(), "1.0.0");
    const program = `import sys, json
from prometheus_client.parser import text_string_to_metric_families as parse
print(json.dumps([[f.name, f.type, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in parse(sys.stdin.read())]))`;
    const { code, output } = await run("python", ["-c", program], tempFolder(t), text);
    assert.equal(code, 0, output);
    const families = JSON.parse(output) as [string, string, string, [string, Record<string, string>, number][]][];
    const samples = families.flatMap(([, , , all]) => all);
    const value = (name: string, labels: object) =>
      samples.find(([found, has]) => found === name && JSON.stringify(has) === JSON.stringify(labels))?.[2];
    for (const [name, type, help] of families) {
      assert.match(name, /^sluice_[a-z_]+$/);
      assert.ok(["counter", "gauge", "histogram"].includes(type) && help.length > 10, name);
    }
    assert.equal(value("sluice_polls_total", { repository: 'a "quoted"\\ name\n', outcome: "succeeded" }), 1);
    assert.equal(value("sluice_decisions_total", { target: "prod", subject: "proposed", verdict: "deny" }), 3);
    assert.equal(value("sluice_http_requests_total", { route: "targets", method: "GET", code: "404" }), 1);
    const bucket = (le: string) =>
      value("sluice_http_request_duration_seconds_bucket", { route: "targets", method: "GET", le });
    assert.deepEqual([bucket("0.025"), bucket("30"), bucket("+Inf")], [1, 1, 2]);
  });

  it("get neither a failure of the server nor an answer that the document does not describe", { skip }, async (t) => {
    const folder = tempFolder(t);
    const token = tokenText(new Uint8Array(randomBytes(32)));
    addToken(join(folder, "tokens.yaml"), { role: "operator", person: "ada" }, token);
    let now = Date.now();
    const failures: unknown[] = [];
    const server = await serveHttp({
      view: plainView(),
      listen: { address: "127.0.0.1", port: 0 },
      access: { tokens: { file: "tokens.yaml" } },
      folder,
      clock: () => {
        now += 60_000; // nobody is refused for haste here
        return now;
      },
      random: randomBytes,
      onRequest: ({ status, cause }) => status >= 500 && failures.push(cause),
    });
    t.after(() => server.close(0));
    const args = [
      "run",
      `${server.url}/openapi.json`,
      "-H",
      `Authorization: Bearer ${token}`,
      "--max-examples",
      "12",
      "--seed",
      "1",
      "--no-color",
    ];
    const { code, output } = await run("schemathesis", ["--config-file", CONFIGURATION, ...args], folder);
    assert.equal(code, 0, output.slice(-6000));
    assert.match(output, /Operations:\s+(\d+) selected \/ \1 total/);
    assert.deepEqual(failures, []);
  });
});
