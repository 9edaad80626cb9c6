/** Who answers at the other end, and who may ask: TLS and passwords, with a real certificate and a real server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SluiceError } from "../../src/lib/errors.ts";
import { draft, openLogOf } from "../support/log.ts";
import { POSTGRES_MISSING, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { tempFolder } from "../support/temp.ts";

// "localhost" is two addresses, of which the server has one: on a busy machine it needs more than a quarter of a second.
setDefaultAutoSelectFamilyAttemptTimeout(60_000);

const PASSWORD = "a word with ' and ünïcode";

describe("a log in PostgreSQL over the network", { skip: POSTGRES_MISSING }, () => {
  it("is written only to a server whose certificate is its own, by a user with the password", async (t) => {
    const folder = tempFolder(t);
    for (const name of ["server", "other"]) selfSigned(folder, name);
    const server = await startPostgres(t);
    const client = await server.connect("postgres");
    await client.query(`ALTER USER postgres PASSWORD ${client.escapeLiteral(PASSWORD)}`);
    await client.end();
    await server.createStore();
    const access = ["local all all trust", "hostssl all all all scram-sha-256", "host all all all reject"];
    writeFileSync(join(server.data, "pg_hba.conf"), access.join("\n"));
    for (const file of ["server.crt", "server.key"]) {
      writeFileSync(join(server.data, file), readFileSync(join(folder, file)));
      server.own(join(server.data, file));
      chmodSync(join(server.data, file), 0o600);
    }
    await server.stop();
    const port = await startOnTcp(server);

    const ca = readFileSync(join(folder, "server.crt"), "utf8");
    const open = (host: string, change: { ca?: string | null; password?: string | null }) =>
      openLogOf(`postgres://postgres@${host}:${port}/log0`, { ca, password: PASSWORD, ...change });
    const log = await open("localhost", {});
    assert.equal((await log.append(draft())).index, 0);
    assert.equal((await log.read(0)).index, 0);
    await log.close();

    const refused: [why: RegExp, host: string, change: { ca?: string | null; password?: string | null }][] = [
      [/certificate is not accepted/, "127.0.0.1", {}],
      [/certificate is not accepted/, "localhost", { ca: readFileSync(join(folder, "other.crt"), "utf8") }],
      [/refuses the user or the password/, "localhost", { password: "wrong" }],
      [/asks for a password, and none is configured/, "localhost", { password: null }],
      [/refuses the user or the password/, "localhost", { ca: null }],
    ];
    for (const [why, host, change] of refused)
      await assert.rejects(open(host, change), (error: SluiceError) => {
        assert.deepEqual([error.code, why.test(error.message)], ["log-failed", true], `${why}: ${error.message}`);
        assert.ok(!error.message.includes(PASSWORD));
        return true;
      });
  });
});

function selfSigned(folder: string, name: string): void {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const how = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", [...how, ...subject, "-keyout", key, "-out", certificate], { stdio: "pipe" });
}

/** Nobody else may take the port between its choice and the start: then another one is chosen. */
async function startOnTcp(server: PostgresServer): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, "close");
    const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "ssl=on", "ssl_min_protocol_version=TLSv1.2"];
    try {
      await server.start(settings);
      return port;
    } catch (thrown) {
      if (!/could not (?:bind|create any TCP)/.test(String(thrown))) throw thrown;
    }
  }
}
