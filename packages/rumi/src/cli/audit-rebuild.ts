/** `rumi audit rebuild`: throws the log's files away and writes them anew from the store. The log itself is not touched. */
import { join } from "node:path";
import type { Command } from "commander";
import { systemClock, systemRandom, type Failure, type Result } from "@rumi/kernel";
import { logOrigin, clearJsonl, clearTileFiles, signerFromPem } from "@rumi/ledger";
import { filesOfLog } from "../program/files-of-log.ts";
import { takeHome, type HeldHome } from "../program/open-home.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";

export function addAuditRebuild(audit: Command, context: CliContext): void {
  audit
    .command("rebuild")
    .description("Write the log's tile files and JSONL views anew from the store; the program must not be running")
    .action(async () => {
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, "words");
      const held = takeHome(settings.value, { clock: systemClock(), random: systemRandom() });
      if (!held.ok) return fail(context, held.error, "words");
      const done = await rebuild(held.value);
      held.value.lock.release();
      if (!done.ok) return fail(context, done.error, "words");
      context.terminal.out("the log's files were written anew; 'rumi audit verify' checks them\n");
      return undefined;
    });
}

async function rebuild(held: HeldHome): Promise<Result<unknown, Failure>> {
  const { paths, keys } = held;
  const signer = signerFromPem(logOrigin(held.home.environment, held.home.home_id), keys.ledger_pem);
  if (!signer.ok) return signer;
  const { openSqliteReader } = await import("@rumi/store");
  const store = openSqliteReader(join(paths.store, "rumi.sqlite"));
  if (!store.ok) return store;
  try {
    await clearTileFiles(paths.tlog);
    const cleared = await clearJsonl(paths.audit);
    return cleared.ok ? await filesOfLog(store.value, paths, signer.value)() : cleared;
  } finally {
    store.value.close();
  }
}
