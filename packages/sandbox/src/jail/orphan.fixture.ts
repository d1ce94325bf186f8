/** A host that starts a jail and waits to be killed; argv: mechanism, script, folder, marker. */
import { detectPython, type JailMechanism, spawnJail } from "../index.ts";

const [, , mechanism, script = "", folder = "", marker = ""] = process.argv;
const python = detectPython("");
if (!python.ok) process.exit(1);
const jailed = await spawnJail({
  mechanism: mechanism as JailMechanism,
  isolation: "any",
  program: { kind: "python", python: python.value, script },
  args: [marker],
  read_only_binds: [folder],
  memory_bytes: 268_435_456,
  nofile: 32,
  fsize_bytes: 0,
  tmp_bytes: 0,
  threads: 1,
  log_bytes_per_second: 0,
  log_bytes_per_run: 0,
  start_deadline_ms: 10_000,
});
if (!jailed.ok) throw new Error(JSON.stringify(jailed.error));
void jailed.value.request(Buffer.from('{"do":"spin"}'), 60_000);
process.stdout.write("started\n");
