/**
 * Entry of the admission process (dist/admission.js): the dynamic smoke of somebody else's strategy never runs in
 * the program that holds the keys.
 *
 * Reads one JSON request from standard input, writes one JSON report to standard output. The strategy runs in a
 * thread, so that the main thread can watch the deadline of a jailed process.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { admit, type AdmissionReport, type AdmissionRequest, type PythonHome } from "@rumi/runtime";
import { jailNowMs, jailsOf, type JailsJob } from "./jails.ts";
import { createJailWatch, detectJails, detectPython, startJailWatchdog } from "@rumi/sandbox";

export type AdmissionJob = {
  readonly request: Omit<AdmissionRequest, "python" | "native" | "monotonic">;
  readonly sdk_dir: string;
  readonly runner_dir: string;
};

type ThreadJob = {
  readonly request: AdmissionJob["request"];
  readonly jails: JailsJob;
};

if (isMainThread) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const job = JSON.parse(Buffer.concat(chunks).toString("utf8")) as AdmissionJob;
  const watch = createJailWatch();
  const home = job.request.descriptor.runtime_kind === "python" ? await pythonHome(job) : null;
  startJailWatchdog(watch, { now_ms: jailNowMs, every_ms: 1 });
  const data: ThreadJob = { request: job.request, jails: { watch, python: home } };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  worker.once("message", (report: AdmissionReport) => process.stdout.write(`${JSON.stringify(report)}\n`));
} else {
  const { request, jails } = workerData as ThreadJob;
  const report = admit({
    ...request,
    monotonic: () => performance.now(),
    ...jailsOf(jails),
  });
  const { failure } = report;
  parentPort?.postMessage({
    ...report,
    failure:
      failure === null
        ? null
        : {
            code: failure.code,
            params: failure.params,
            ...(failure.reasonCode === undefined ? {} : { reasonCode: failure.reasonCode }),
          },
  });
}

async function pythonHome(job: AdmissionJob): Promise<PythonHome | null> {
  const python = detectPython(process.env["PATH"] ?? "");
  if (!python.ok) return null;
  const jails = await detectJails(python);
  const best = jails.find((jail) => jail.available && jail.strict) ?? jails.find((jail) => jail.available);
  return best === undefined
    ? null
    : { python: python.value, mechanism: best.mechanism, sdk_dir: job.sdk_dir, runner_dir: job.runner_dir };
}
