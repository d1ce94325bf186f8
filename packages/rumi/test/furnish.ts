/** One of everything that has an id, made through the public API, for tests that read whatever can be read. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  installPack,
  makePerson,
  ok,
  startBot,
  stopBot,
  untilFeedEnds,
  writeRecording,
  type Data,
} from "./rig.ts";

/** A run in a repository of its own that left something outside its scope. */
async function makeRun(program: Program): Promise<string> {
  const repo = join(program.home, "repo");
  mkdirSync(repo);
  execFileSync("git", ["init", "--quiet", repo]);
  execFileSync(
    "git",
    ["-c", "user.name=u", "-c", "user.email=u@example.org", "commit", "--quiet", "--allow-empty", "-m", "base"],
    { cwd: repo },
  );
  const wish = { repo, prompt: "", scope: { write: ["a"] }, dod: { required_checks: [] }, command: ["touch", "b"] };
  const { run_id } = await ok(program, "POST", "/api/runs", wish);
  await eventually(async () => (await ok(program, "GET", `/api/runs/${String(run_id)}`))["phase"] === "proved");
  return String(run_id);
}

/** Ids by the names of the path parameters that take them. */
export async function furnish(program: Program): Promise<Readonly<Record<string, string>>> {
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(program.home, 500), factor: "max" });
  for (const bot_id of ["ema", "other"]) await createBot(program, bot_id, "ema_cross", digest);
  await startBot(program, "ema");
  await untilFeedEnds(program, "ema");
  const run_id = String((await bot(program, "ema")).status.run_id);
  await stopBot(program, "ema");

  const make = (path: string, body: Data): Promise<Data> =>
    ok(program, "POST", path, { reason: "one of each", ...body });
  const command = (body: Data): Data => ({ command_id: crypto.randomUUID(), ...body });
  await make("/api/groups", command({ group_id: "desk", bot_ids: ["ema", "other"] }));
  await make("/api/templates", command({ template_id: "crosser", from_bot_id: "ema" }));
  const transition = { from: "IDLE", to: "RUNNING_PAPER" };
  const selector = { bot_ids: ["other"] };
  await make("/api/jobs", command({ job_id: "morning", selector, requested_transition: transition, max_errors: 1 }));
  const wholesale = command({ selector, requested_transition: transition, max_errors: 1 });
  const { bulk_id } = await make("/api/bulk", wholesale);
  const { hold_id } = await make("/api/holds", command({ kind: "freeze", scope: { strategy_id: "mean_reversion" } }));
  const override = command({ bot_id: "ema", check: "runbook", valid_for_seconds: 3_600, reason: "one of each" });
  const asked = await program.call("POST", "/api/overrides", override);
  await make("/api/pools", command({ venue: "SIM", currency: "USD", size: "1000000" }));
  const limits = { operation: "bots.limits", input: { bot_id: "ema", capital: "9000" } };
  const { change_id } = await make("/api/changes", command(limits));
  const { bundle_id } = await make("/api/support_bundles", {});
  const code_run_id = await makeRun(program);
  const person = await makePerson(program, "spare", ["view_only"]);
  const tokens = await ok(program, "GET", `/api/users/${person.id}/tokens`);
  const events = await auditEvents(program);
  const [admission] = (await ok(program, "GET", "/api/admissions"))["admissions"] as Data[];
  const contracts = (await ok(program, "GET", "/api/contracts"))["contracts"] as string[];
  await eventually(async () => (await ok(program, "GET", `/api/bulk/${String(bulk_id)}`))["state"] !== "running");
  return Object.fromEntries(
    Object.entries({
      bot_id: "ema",
      bulk_id,
      bundle_id,
      challenge_id: (asked.body as { challenge?: Data }).challenge?.["challenge_id"],
      change_id,
      code_run_id,
      command_id: wholesale["command_id"],
      contract: contracts[0],
      event_id: events[0]?.event_id,
      gate: "market_data",
      group_id: "desk",
      hold_id,
      id: run_id,
      job_id: "morning",
      pack_id: "default",
      report_id: admission?.["report_id"],
      run_id,
      template_id: "crosser",
      token_id: (tokens["tokens"] as Data[])[0]?.["token_id"],
      user_id: person.id,
      venue_id: "SIM",
    }).map(([name, value]) => {
      if (typeof value !== "string") throw new Error(`no ${name} was made`);
      return [name, value];
    }),
  );
}
