/** Entry of the bundled runner process (dist/runner.js). */
import { runnerMain } from "@rumi/runtime";

await runnerMain(process.argv.slice(2));
