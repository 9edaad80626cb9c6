/**
 * Builds toolchain/bin/rego from the Go sources, when they have changed.
 *
 *   node scripts/build-toolchain.ts        exit 0 built or up to date, 2 Go is missing, 1 the build failed
 *
 * The finished binary is keyed by the content of everything it is made from (toolchain/bin/rego.key), so a second run
 * does nothing and needs no Go. It is copied into the package of this platform as well.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const TOOLCHAIN = fileURLToPath(new URL("../toolchain", import.meta.url));
const PROGRAM = "rego";
/** No path of this machine and no state of its git: the same sources and the same Go give the same bytes. */
const BUILD_FLAGS = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];
const GO_IS_MISSING =
  "Go is missing: install Go 1.26 (or 1.21 and newer, which fetch 1.26 by themselves) and run this again.";
const TICK_MS = 1000;
const LAST_OUTPUT_BYTES = 4000;

/** What is happening now; `elapsedMs` counts from the start of the build. */
export interface BuildProgress {
  readonly step: "download" | "compile" | "done";
  readonly detail: string;
  readonly elapsedMs: number;
}

export interface BuildOptions {
  /** Called at the start of each step, for each package as it is compiled, every second, and once at the end. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** The folder that holds go.mod; the repository's own by default. */
  readonly folder?: string;
  /** Where `go` is looked for; by default PATH and the places that installers use. */
  readonly searchPath?: readonly string[];
}

export interface BuiltToolchain {
  /** Absolute path of the program. */
  readonly binary: string;
  /** False when it was up to date. */
  readonly built: boolean;
  /** SHA-256 over the sources, the flags and the platform, in hex. */
  readonly key: string;
}

/** The build did not happen; `exitCode` is 2 when Go is missing and 1 when Go failed. */
export class BuildFailure extends Error {
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.name = "BuildFailure";
    this.exitCode = exitCode;
  }
}

/** Makes sure that the program exists and is made from the present sources. Throws BuildFailure. */
export async function buildToolchain(options: BuildOptions = {}): Promise<BuiltToolchain> {
  const folder = options.folder ?? TOOLCHAIN;
  const binary = join(folder, "bin", PROGRAM);
  const key = sourceKey(folder);
  if (isUpToDate(binary, key)) {
    copyIntoPackage(folder, binary);
    return { binary, built: false, key };
  }
  const go = findGo(options.searchPath ?? defaultSearchPath());
  if (go === null) throw new BuildFailure(GO_IS_MISSING, 2);
  await compile(go, folder, binary, new Reporter(options.onProgress));
  writeFileSync(`${binary}.key`, `${key}\n`);
  copyIntoPackage(folder, binary);
  return { binary, built: true, key };
}

async function compile(go: string, folder: string, binary: string, reporter: Reporter): Promise<void> {
  const unfinished = `${binary}.${process.pid}.tmp`;
  mkdirSync(join(folder, "bin"), { recursive: true });
  try {
    reporter.enter("download", "fetching Go modules");
    await requireGo(go, folder);
    await runGo(go, folder, ["mod", "download"], () => {});
    reporter.enter("compile", "compiling");
    await runGo(go, folder, ["build", "-v", ...BUILD_FLAGS, "-o", unfinished, `./cmd/${PROGRAM}`], (line) =>
      reporter.detail(`compiling ${line}`),
    );
    renameSync(unfinished, binary);
    reporter.enter("done", `built ${relative(process.cwd(), binary)}`);
  } finally {
    reporter.stop();
    rmSync(unfinished, { force: true });
  }
}

/** An old Go that may not fetch the version go.mod asks for is as good as none; `go list -m` is the cheapest that says so. */
async function requireGo(go: string, folder: string): Promise<void> {
  try {
    await runGo(go, folder, ["list", "-m"], () => {});
  } catch (failure) {
    throw new BuildFailure(`${GO_IS_MISSING}\n${failure instanceof Error ? failure.message : ""}`.trim(), 2);
  }
}

/** Runs go to its end and hands on each line that it writes to standard error. */
function runGo(go: string, folder: string, args: readonly string[], onLine: (line: string) => void): Promise<void> {
  const environment = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOOS: "", GOARCH: "" };
  const child = spawn(go, args, { cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    const output = readLines(child, onLine);
    child.on("error", (cause) => reject(new BuildFailure(`go cannot be started: ${cause.message}`, 2)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new BuildFailure(`go ${args.slice(0, 2).join(" ")} failed:\n${output().trim()}`, 1));
    });
  });
}

function readLines(child: ChildProcess, onLine: (line: string) => void): () => string {
  let last = "";
  let rest = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    last = (last + text).slice(-LAST_OUTPUT_BYTES);
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  return () => last;
}

class Reporter {
  readonly #started = performance.now();
  readonly #report: (progress: BuildProgress) => void;
  readonly #timer: NodeJS.Timeout;
  #step: BuildProgress["step"] = "download";
  #detail = "";

  constructor(report: ((progress: BuildProgress) => void) | undefined) {
    this.#report = report ?? (() => {});
    this.#timer = setInterval(() => this.#tell(), TICK_MS);
  }

  enter(step: BuildProgress["step"], detail: string): void {
    this.#step = step;
    this.detail(detail);
  }

  detail(text: string): void {
    this.#detail = text;
    this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    this.#report({ step: this.#step, detail: this.#detail, elapsedMs: performance.now() - this.#started });
  }
}

function isUpToDate(binary: string, key: string): boolean {
  return existsSync(binary) && existsSync(`${binary}.key`) && readFileSync(`${binary}.key`, "utf8").trim() === key;
}

/** Everything that decides the bytes of the program, apart from the Go release, which go.mod sets the floor of. */
function sourceKey(folder: string): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, BUILD_FLAGS]));
  for (const file of sourceFiles(folder)) {
    const content = readFileSync(join(folder, file));
    hash.update(`\0${file.split(sep).join("/")}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function sourceFiles(folder: string): readonly string[] {
  const sources = ["cmd", "internal"].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: "utf8" }).map((name) => join(part, name)),
  );
  const isSource = (name: string): boolean => name.endsWith(".go") && !name.endsWith("_test.go");
  return ["go.mod", "go.sum", ...sources.filter(isSource)].sort();
}

function findGo(searchPath: readonly string[]): string | null {
  const name = process.platform === "win32" ? "go.exe" : "go";
  return searchPath.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

function defaultSearchPath(): readonly string[] {
  const listed = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...listed, "/usr/local/go/bin", "/usr/lib/go/bin"];
}

/** The optional package of this platform carries the same program: toolchain/packages/<platform>-<arch>/bin/. */
function copyIntoPackage(folder: string, binary: string): void {
  const target = join(folder, "packages", `${process.platform}-${process.arch}`);
  if (!existsSync(join(target, "package.json"))) return;
  const copy = join(target, "bin", PROGRAM);
  if (existsSync(copy) && readFileSync(copy).equals(readFileSync(binary))) return;
  mkdirSync(join(target, "bin"), { recursive: true });
  copyFileSync(binary, `${copy}.${process.pid}.tmp`);
  renameSync(`${copy}.${process.pid}.tmp`, copy);
}

/** A terminal gets one line that is rewritten; a pipe gets one line when the build starts and one when it ends. */
export function progressLine(output: NodeJS.WriteStream): (progress: BuildProgress) => void {
  let started = false;
  return ({ step, detail, elapsedMs }) => {
    const line = `toolchain: ${Math.round(elapsedMs / 1000)} s  ${detail}`;
    if (output.isTTY)
      output.write(`\r\x1b[K${line.slice(0, (output.columns || 80) - 1)}${step === "done" ? "\n" : ""}`);
    else if (!started) output.write("toolchain: building (about a minute the first time)\n");
    else if (step === "done") output.write(`${line}\n`);
    started = true;
  };
}

if (import.meta.main) {
  try {
    const { built } = await buildToolchain({ onProgress: progressLine(process.stderr) });
    if (!built) process.stderr.write("toolchain: up to date\n");
  } catch (failure) {
    if (!(failure instanceof BuildFailure)) throw failure;
    process.stderr.write(`${process.stderr.isTTY ? "\n" : ""}${failure.message}\n`);
    process.exitCode = failure.exitCode;
  }
}
