/** The process's own streams behind the Output that commands see. */
import { isatty } from "node:tty";
import { gatherBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Output } from "./command.ts";
import { errorText, exitCodeOf } from "./failure.ts";

/** Its descriptor. */
const STDIN = 0;
const MAXIMUM_INPUT_BYTES = 32 * 1024 * 1024;
const PROGRESS_AFTER_MS = 1000;
/** 128 + 13: what a shell says of a process that SIGPIPE ended. Node ignores the signal and reports each write instead. */
const EXIT_SIGPIPE = 141;

/** Whoever read along and went, as `head` does, ends the command quietly; any other failure is said while somebody listens. */
export function endWithItsReader(): void {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") process.exit(EXIT_SIGPIPE);
    const error = new SluiceError("output-failed", `Standard output could not be written: ${cause.code}.`, { cause });
    process.stderr.write(errorText(error));
    process.exit(exitCodeOf(error.code));
  });
  process.stderr.on("error", () => process.exit(EXIT_SIGPIPE));
}

export function processOutput(coloursWanted: boolean): Output {
  const { stdout, stderr } = process; // not its input: making that stream costs more than a short command's own work
  return {
    isTerminal: stdout.isTTY === true,
    width: stdout.columns ?? 80,
    colours: coloursWanted && stdout.isTTY === true,
    write: (text) => void stdout.write(text),
    remark: (text) => void stderr.write(text),
    progress: (text) => (stderr.isTTY === true ? showProgress(stderr, text) : () => undefined),
    readInput: () => gatherBytes(process.stdin as AsyncIterable<Buffer>, MAXIMUM_INPUT_BYTES, tooLarge),
    ...(isatty(STDIN) && stderr.isTTY === true ? { ask: (question) => ask(process.stdin, stderr, question) } : {}),
  };
}

function tooLarge(): SluiceError {
  return new SluiceError("usage", "Standard input is larger than 32 MiB.");
}

/** Whoever ends the input without a word has said nothing. */
async function ask(input: NodeJS.ReadStream, output: NodeJS.WriteStream, question: string): Promise<string> {
  const { createInterface } = await import("node:readline"); // a millisecond that only questions pay for
  const lines = createInterface({ input, output });
  return new Promise((fulfil) => {
    lines.once("close", () => fulfil(""));
    lines.question(question, (answer) => {
      fulfil(answer);
      lines.close();
    });
  });
}

/** One line that appears after a second and is wiped at the end; a pipe gets nothing. */
function showProgress(stream: NodeJS.WriteStream, text: string | (() => string)): () => void {
  const started = performance.now();
  const said = typeof text === "string" ? () => text : text;
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    stream.write(`\r${said()} ${seconds} s\u001b[K`);
  }, PROGRESS_AFTER_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (performance.now() - started >= PROGRESS_AFTER_MS) stream.write("\r\u001b[K");
  };
}
