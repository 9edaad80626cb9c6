/** The process: runs one command line and leaves with its exit code. Without `await` at the top: a `require` starts it. */
import { main } from "./main.ts";
import { endWithItsReader } from "./output.ts";

endWithItsReader();
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
