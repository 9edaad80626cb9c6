/** One source of data from outside, asked over a real connection: what it may answer, and where it may be. */
import assert from "node:assert/strict";
import type { lookup } from "node:dns";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { fetchSource, type SourceAddress } from "../../src/gate/external-fetch.ts";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { Openssl } from "../support/x509-tools.ts";

const PATIENT_MS = 60_000;

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function address(url: string, more: Partial<SourceAddress> = {}): SourceAddress {
  return { name: "registries", url, authority: null, token: null, deadlineMs: PATIENT_MS, ...more };
}

/** Nothing of the address is in what people read. */
async function refused(asked: Promise<string>, code: Code, message: RegExp): Promise<void> {
  await assert.rejects(asked, (thrown: unknown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    assert.doesNotMatch(thrown.message, /127\.0\.0\.1|http|secret/);
    return true;
  });
}

/** Resolves every name to these. */
const resolving = (...found: readonly { address: string; family: number }[]) =>
  ((_name: string, _options: unknown, callback: (error: null, all: unknown) => void) =>
    callback(null, found)) as unknown as typeof lookup;

describe("a source of data from outside", () => {
  it("is asked with GET and the operator's token, and answers its bytes", async (t) => {
    const asked: unknown[] = [];
    const url = await serve(t, (request, response) => {
      const { authorization, accept } = request.headers;
      asked.push([request.method, request.url, authorization, accept, request.headers["accept-encoding"]]);
      response.end('{"allowed":["é"]}');
    });
    assert.equal(await fetchSource(address(`${url}/r.json?of=prod`, { token: "secret" })), '{"allowed":["é"]}');
    assert.deepEqual(asked, [["GET", "/r.json?of=prod", "Bearer secret", "application/json", "identity"]]);
  });

  it("is followed nowhere, and only 200 is an answer", async (t) => {
    let others = 0;
    const elsewhere = await serve(t, (_, response) => response.end(String(++others)));
    const url = await serve(t, (_, response) => response.writeHead(302, { location: elsewhere }).end("{}"));
    await refused(fetchSource(address(url)), "external-unreachable", /registries answers 302, not 200/);
    assert.equal(others, 0);
  });

  it("is cut off at 1 MiB, also where it never ends", async (t) => {
    let sent = 0;
    const url = await serve(t, (_, response) => {
      const more = (error?: Error | null): void => {
        if (error) return;
        sent += 65_536;
        response.write("x".repeat(65_536), more);
      };
      more();
      response.on("error", () => undefined);
    });
    await refused(fetchSource(address(url)), "external-too-large", /larger than 1 MiB/);
    assert.ok(sent < 32 * 1024 * 1024, "but for what lies in buffers, no more is taken");
  });

  it("has a deadline, whether it says nothing or stops in the middle", async (t) => {
    const silent = await serve(t, () => undefined);
    await refused(
      fetchSource(address(silent, { deadlineMs: 100 })),
      "external-unreachable",
      /does not answer within 100 ms/,
    );
    const halting = await serve(t, (_, response) => void response.write("{"));
    await refused(
      fetchSource(address(halting, { deadlineMs: 100 })),
      "external-unreachable",
      /does not answer within 100 ms/,
    );
  });

  it("that breaks off, is not there or gives no text gives nothing", async (t) => {
    const breaking = await serve(t, (_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("{");
      response.socket?.destroy();
    });
    await refused(fetchSource(address(breaking)), "external-unreachable", /does not answer \(ECONNRESET\)/);
    const latin = await serve(t, (_, response) => response.end(Buffer.from([0x22, 0xe9, 0x22])));
    await refused(fetchSource(address(latin)), "external-malformed", /not UTF-8/);
    await refused(fetchSource(address("http://127.0.0.1:1/")), "external-unreachable", /does not answer/);
  });

  it("is at no address where clouds keep credentials, and at none of this machine unless the operator says so", async (t) => {
    for (const host of ["169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0"])
      await refused(fetchSource(address(`https://${host}/`)), "external-address", /no source has/);
    const url = address("https://inventory.example/");
    const metadata = { address: "169.254.169.254", family: 4 };
    const here = { address: "127.0.0.1", family: 4 };
    const mapped = { address: "::ffff:127.0.0.1", family: 6 };
    const plain = { address: "192.0.2.1", family: 4 };
    for (const found of [[metadata], [here], [mapped], [plain, metadata]])
      await refused(fetchSource(url, resolving(...found)), "external-address", /no source has/);
    const server = await serve(t, (_, response) => response.end("{}"));
    const named = server.replace("127.0.0.1", "localhost");
    assert.equal(await fetchSource(address(named), resolving(here)), "{}");
    await refused(fetchSource(address(named), resolving(metadata)), "external-address", /no source has/);
  });

  it("is believed only under a certificate of the operator's authority", async (t) => {
    const openssl = new Openssl(t);
    const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
    openssl.run([...make.split(" "), "-addext", "subjectAltName=DNS:localhost", "-keyout", "k.pem", "-out", "c.pem"]);
    const read = (name: string) => readFileSync(`${openssl.folder}/${name}`, "utf8");
    const server = createSecureServer({ key: read("k.pem"), cert: read("c.pem") }, (_, response) =>
      response.end("[1]"),
    );
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const here = resolving({ address: "127.0.0.1", family: 4 });
    assert.equal(await fetchSource(address(url, { authority: read("c.pem") }), here), "[1]");
    await refused(fetchSource(address(url), here), "external-unreachable", /certificate that is not trusted here/);
  });
});
