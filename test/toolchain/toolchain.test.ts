import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { buildToolchain } from "../../scripts/build-toolchain.ts";
import { type Answer, ToolchainClient } from "./client.ts";

const IS_LOCKABLE = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
const ARGUMENTS = IS_LOCKABLE ? [] : ["--sandbox=none"];
const POLICY = {
  path: "policies/privileged.rego",
  text: `package sluice.kubernetes.privileged

deny contains {"message": message} if {
	some container in input.pod.containers
	message := sprintf("container %q is privileged", [container.name])
}
`,
};
const ENDLESS = "x if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i + j == 0 }\n";
const INPUT_SCHEMA = {
  type: "object",
  properties: { resource: { type: "object" }, pod: { type: "object" } },
  additionalProperties: false,
};

function ok(answer: Answer | null): Answer["result"] {
  assert.equal(answer?.ok, true, JSON.stringify(answer));
  return answer?.result;
}

function refusal(answer: Answer | null): Answer["errors"][number] {
  assert.equal(answer?.ok, false, JSON.stringify(answer));
  return answer?.errors[0];
}

describe("the Rego toolchain", () => {
  let binary = "";
  before(async () => {
    binary = (await buildToolchain()).binary;
  });

  it("says which OPA, which protocol and which sandbox it is", async (t) => {
    const result = ok(await new ToolchainClient(binary, t, ARGUMENTS).ask("hello"));
    assert.equal(result.opa, "1.22.0");
    assert.equal(result.protocol, 1);
    assert.equal(result.sandbox, IS_LOCKABLE ? "seccomp" : "none");
    assert.ok(result.builtins.includes("sprintf"));
  });

  it("is locked by a seccomp filter before it answers its first request", { skip: !IS_LOCKABLE }, async (t) => {
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    ok(await client.ask("hello"));
    const status = readFileSync(`/proc/${client.child.pid}/status`, "utf8");
    assert.match(status, /^Seccomp:\t2$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(readFileSync(`/proc/${client.child.pid}/limits`, "utf8"), /^Max data size +1073741824 +1073741824/m);
  });

  it("is refused whatever would reach beyond the process", { skip: !IS_LOCKABLE }, async (t) => {
    const { attempts } = ok(await new ToolchainClient(binary, t, ARGUMENTS).ask("selftest"));
    const names = attempts.map((attempt: { name: string }) => attempt.name).join(" ");
    for (const wanted of [
      "open for read",
      "open for write",
      "unlink",
      "mkdir",
      "kill parent",
      "tgkill parent",
      "fork by clone",
      "execve",
      "socket",
      "connect",
      "ptrace",
      "mmap PROT_EXEC",
      "mprotect PROT_EXEC",
      "prctl",
      "bpf",
      "prlimit set",
      "io_uring_setup",
    ]) {
      assert.ok(names.includes(wanted), `${wanted} is not tried`);
    }
    assert.deepEqual(
      attempts.filter((attempt: { refused: boolean }) => !attempt.refused),
      [],
    );
  });

  it("says so when it runs without the lock, and the same attempts then get through", {
    skip: !IS_LOCKABLE,
  }, async (t) => {
    const client = new ToolchainClient(binary, t, ["--sandbox=none"]);
    assert.equal(ok(await client.ask("hello")).sandbox, "none");
    assert.match(readFileSync(`/proc/${client.child.pid}/status`, "utf8"), /^Seccomp:\t0$/m);
    const { attempts } = ok(await client.ask("selftest"));
    const through = attempts.filter((attempt: { refused: boolean }) => !attempt.refused);
    assert.ok(through.length > 10, JSON.stringify(attempts));
  });

  it("refuses arguments that it does not know with exit code 2", async (t) => {
    assert.equal(await new ToolchainClient(binary, t, ["--sandbox=nnoe"]).exit(), 2);
  });

  it("compiles the same request to the same bytes, in this process and in another", async (t) => {
    const request = { files: [POLICY], entrypoints: ["sluice/kubernetes/privileged/deny"], data: {}, strict: true };
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    const first = ok(await client.ask("compile", request));
    assert.deepEqual(ok(await client.ask("compile", request)), first);
    assert.deepEqual(ok(await new ToolchainClient(binary, t, ARGUMENTS).ask("compile", request)), first);
    assert.deepEqual(first.builtins, ["sprintf"]);
    const module = new WebAssembly.Module(Buffer.from(first.wasm, "base64"));
    assert.ok(WebAssembly.Module.exports(module).some((one) => one.name === "opa_eval"));
  });

  it("lists as host built-ins exactly what the module itself asks for", async (t) => {
    const text =
      'package p\n\nx := [sprintf("%v", [1]), time.now_ns(), count([1]), semver.is_valid("1"), upper("a")]\n';
    const request = { files: [{ path: "p.rego", text }], entrypoints: ["p/x"] };
    const { wasm, builtins } = ok(await new ToolchainClient(binary, t, ARGUMENTS).ask("compile", request));
    assert.deepEqual(builtins, askModule(Buffer.from(wasm, "base64")));
    assert.deepEqual(builtins, ["semver.is_valid", "sprintf", "time.now_ns"]);
  });

  it("refuses a denied built-in at its line", async (t) => {
    const files = [{ path: "p.rego", text: 'package p\n\nx := http.send({"url": "a"})\n' }];
    const answer = await new ToolchainClient(binary, t, ARGUMENTS).ask("compile", {
      files,
      entrypoints: ["p/x"],
      deniedBuiltins: ["http.send"],
    });
    const { code, file, line } = refusal(answer);
    assert.deepEqual({ code, file, line }, { code: "rego-unsafe-builtin", file: "p.rego", line: 3 });
  });

  it("finds a misspelt field of the input, with its line", async (t) => {
    const files = [POLICY, { path: "typo.rego", text: 'package typo\n\nx if {\n\tinput.resorce.kind == "Pod"\n}\n' }];
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    const { code, file, line, column } = refusal(
      await client.ask("check", { files, schemas: { input: INPUT_SCHEMA }, strict: true }),
    );
    assert.deepEqual({ code, file, line, column }, { code: "rego-type", file: "typo.rego", line: 4, column: 2 });
    assert.deepEqual(ok(await client.ask("check", { files, schemas: null, strict: true })), {});
  });

  it("answers what is not a request and goes on", async (t) => {
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    assert.deepEqual({ id: 0, code: "bad-request" }, brief(await client.send("{ not json")));
    assert.deepEqual({ id: 5, code: "bad-request" }, brief(await client.send('{"id":5,"op":"nope"}')));
    assert.deepEqual({ id: 6, code: "bad-request" }, brief(await client.send('{"id":6,"op":"check","flies":[]}')));
    ok(await client.ask("hello"));
  });

  it("answers an oversized frame with an error and exits 1", async (t) => {
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    assert.deepEqual({ id: 0, code: "bad-request" }, brief(await client.send("{}", 64 * 1024 * 1024 + 1)));
    assert.equal(await client.exit(), 1);
  });

  it("exits 0 when its input ends between two frames and 1 inside of one", async (t) => {
    const clean = new ToolchainClient(binary, t, ARGUMENTS);
    clean.child.stdin?.end();
    assert.equal(await clean.exit(), 0);
    const torn = new ToolchainClient(binary, t, ARGUMENTS);
    torn.child.stdin?.end(Buffer.from([0, 0]));
    assert.equal(await torn.exit(), 1);
  });

  it("refuses brackets that are nested too deep before it parses them", async (t) => {
    const files = [{ path: "p.rego", text: `package p\n\nx := ${"[".repeat(20_000)}${"]".repeat(20_000)}\n` }];
    const { code, line } = refusal(await new ToolchainClient(binary, t, ARGUMENTS).ask("check", { files }));
    assert.deepEqual({ code, line }, { code: "nesting", line: 3 });
  });

  it("ends an endless test and an endless query at timeoutMs and stays usable", async (t) => {
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    const test = { path: "p_test.rego", text: `package p\n\ntest_${ENDLESS}` };
    let answer = await client.ask("test", { files: [test], timeoutMs: 50 });
    // A slow machine may not even have begun the test when so little time is over: that is refused.
    for (let timeoutMs = 200; answer?.ok !== true && timeoutMs < 100_000; timeoutMs *= 4) {
      assert.match(refusal(answer).message, /was over before/);
      answer = await client.ask("test", { files: [test], timeoutMs });
    }
    const { tests } = ok(answer);
    assert.equal(tests[0].pass, false);
    assert.match(tests[0].error, /eval_cancel_error/);
    const query = { files: [{ path: "p.rego", text: `package p\n\n${ENDLESS}` }], query: "data.p.x", timeoutMs: 50 };
    assert.equal(refusal(await client.ask("eval", query)).code, "eval-error");
    ok(await client.ask("hello"));
  });

  it("dies when its parent kills it in the middle of an endless query", async (t) => {
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    const files = [{ path: "p.rego", text: `package p\n\n${ENDLESS}` }];
    ok(await client.ask("hello"));
    const answer = client.ask("eval", { files, query: "data.p.x" });
    client.child.kill("SIGKILL");
    assert.equal(await answer, null);
    assert.equal(await client.exit(), null);
  });

  it("works under load with the lock on: two hundred policies compiled and tested with coverage", async (t) => {
    const files = Array.from({ length: 200 }, (_, n) => [
      { path: `p${n}.rego`, text: POLICY.text.replace("privileged", `rule${n}`) },
      { path: `p${n}_test.rego`, text: loadTest(n) },
    ]).flat();
    const client = new ToolchainClient(binary, t, ARGUMENTS);
    ok(
      await client.ask("compile", {
        files,
        entrypoints: ["sluice/kubernetes/rule0/deny", "sluice/kubernetes/rule199/deny"],
      }),
    );
    const { tests, coverage } = ok(await client.ask("test", { files, coverage: true }));
    assert.equal(tests.filter((test: { pass: boolean }) => test.pass).length, 200);
    assert.equal(coverage.percent, 100);
  });

  it("reads YAML as Kubernetes does", async (t) => {
    const { results } = ok(
      await new ToolchainClient(binary, t, ARGUMENTS).ask("yaml", { documents: ["a: 010", "a: [", "a: yes"] }),
    );
    assert.equal(results[0].json, '{"a":8}');
    assert.equal(typeof results[1].error, "string");
    assert.equal(results[2].json, '{"a":true}');
  });
});

function brief(answer: Answer | null): { id: number | undefined; code: string } {
  return { id: answer?.id, code: refusal(answer).code };
}

function loadTest(n: number): string {
  return `package sluice.kubernetes.rule${n}_test

test_denies if count(data.sluice.kubernetes.rule${n}.deny) == 500 with input as {"pod": {"containers": [{"name": i} | some i in numbers.range(1, 500)]}}
`;
}

/** Asks the module through its own `builtins()`, the list that a host relies on. */
function askModule(bytes: Uint8Array<ArrayBuffer>): string[] {
  const memory = new WebAssembly.Memory({ initial: 5, maximum: 1024 });
  const names = [
    "opa_abort",
    "opa_builtin0",
    "opa_builtin1",
    "opa_builtin2",
    "opa_builtin3",
    "opa_builtin4",
    "opa_println",
  ];
  const env = { memory, ...Object.fromEntries(names.map((name) => [name, () => assert.fail(`${name} was called`)])) };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env });
  const call = (name: string, ...values: number[]): number =>
    (exports[name] as (...values: number[]) => number)(...values);
  const start = call("opa_json_dump", call("builtins"));
  const text = Buffer.from(memory.buffer, start);
  return Object.keys(JSON.parse(text.toString("utf8", 0, text.indexOf(0)))).sort();
}
