/** The process: remembers compiled code between runs, runs one command line, leaves with its exit code. */
import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
