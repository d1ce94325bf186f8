/** Asks a process of its own whether a strategy may start: its contract, its hash, and a smoke in its real sandbox. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AdmitRequest } from "@rumi/control";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { AdmissionReport } from "@rumi/runtime";
import type { AdmissionJob } from "../admission-entry.ts";
import type { ContainerEngine } from "@rumi/sandbox";
import type { Installation } from "./installation.ts";

/** The whole of it, interpreter and jail included. */
const ADMISSION_MS = 30_000;
const REPORT_BYTES = 1_048_576;
const OPEN_ORDERS = 100;

export function admissionProcess(
  installation: Installation,
  container_engine: ContainerEngine,
): (request: AdmitRequest) => Promise<Result<AdmissionReport, Failure>> {
  return async ({ bot_id, strategy, spec, config, instruments, venue_id, from }) => {
    const job: AdmissionJob = {
      sdk_dir: installation.python_sdk,
      runner_dir: installation.jail_scripts,
      container_engine,
      request: {
        descriptor: strategy.descriptor,
        pack_dir: strategy.directory,
        pack_digest: strategy.digest,
        config,
        seed: `admission/${bot_id}`,
        instruments,
        isolation: spec.isolation,
        ...(spec.isolation_level === undefined ? {} : { isolation_level: spec.isolation_level }),
        venue: { venue_id },
        ...(from === undefined ? {} : { from }),
        limits: {
          capital: spec.capital,
          intents_per_second: strategy.descriptor.resources.intents_per_second,
          max_open_orders: OPEN_ORDERS,
        },
      },
    };
    const said = await ask(fileURLToPath(installation.admission), JSON.stringify(job));
    if (!said.ok)
      return err(
        failure(
          "RUMI-STR-033",
          { check: "smoke" },
          { reasonCode: "M.ADMISSION.UNAVAILABLE", details: { problem: said.error } },
        ),
      );
    const report = JSON.parse(said.value) as AdmissionReport;
    if (report.admitted) return ok(report);
    const bad = report.checks.find((check) => !check.passed);
    if (report.failure !== null) return err({ ...report.failure, details: { checks: report.checks } });
    return err(
      failure(
        "RUMI-STR-033",
        { check: bad?.check ?? "smoke" },
        { reasonCode: bad?.reason_code ?? "M.ADMISSION.REFUSED", details: { checks: report.checks } },
      ),
    );
  };
}

/** One question to one process; what it printed, or why there is no answer. */
function ask(entry: string, question: string): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [entry], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "" },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), ADMISSION_MS);
    let [out, problem] = ["", ""];
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString("utf8");
      if (out.length > REPORT_BYTES) child.kill("SIGKILL");
    });
    child.stderr.on("data", (data: Buffer) => (problem = (problem + data.toString("utf8")).slice(-2_000)));
    child.on("error", (error) => (problem = error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(
        code === 0 && out !== ""
          ? ok(out)
          : err(`the admission process ended with ${signal ?? code}: ${problem.trim()}`),
      );
    });
    child.stdin.on("error", () => undefined); // it ended before it read everything; `close` tells
    child.stdin.end(question);
  });
}
