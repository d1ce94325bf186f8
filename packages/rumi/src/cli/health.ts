/**
 * `rumi health`, also `rumi --health`: what a container's health check asks. JSON on standard output; exit code 0 only for UP.
 *
 * The built-in probes look at this machine. Where the home's program says that it listens, it is asked too: one that was
 * started and does not answer is DOWN, one that was not started is no probe.
 */
import type { Command } from "commander";
import { healthReport, HEALTH_STATES, hostProbes, type HealthStatus, type Probe } from "../program/health.ts";
import { clientOf, fail, settingsOf, type CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson } from "./output.ts";

/** Shorter than a probe's own time: that it does not answer is known then, and told as such. */
const ASK_MS = 2_000;

export function addHealthCommand(program: Command, context: CliContext): void {
  program
    .command("health")
    .description("Tell health as JSON; exit code 0 only when its status is UP")
    .action(async () => {
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, "json");
      const report = await healthReport([...hostProbes(settings.value.home), ...programProbes(context)]);
      printJson(context.terminal, report);
      if (report.status !== "UP") context.exit_code = EXIT.failed;
      return undefined;
    });
}

function programProbes(context: CliContext): readonly Probe[] {
  const client = clientOf(context);
  if (!client.ok) return [];
  const check = async (): Promise<HealthStatus> => {
    const answer = await client.value.request({ method: "GET", path: "/health", timeout_ms: ASK_MS });
    if (!answer.ok) return "DOWN";
    return HEALTH_STATES.find((state) => state === answer.value.body["status"]) ?? "UNKNOWN";
  };
  return [{ name: "program", check }];
}
