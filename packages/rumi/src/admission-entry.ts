/**
 * Entry of the admission process (dist/admission.js): the dynamic smoke of somebody else's strategy never runs in
 * the program that holds the keys.
 *
 * Reads one JSON request from standard input, writes one JSON report to standard output. The strategy runs in a
 * thread, so that the main thread can watch the deadline of a jailed process.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { admit, type AdmissionReport, type AdmissionRequest } from "@rumi/runtime";
import { jailNowMs, jailsOf, type JailsJob } from "./jails.ts";
import {
  type ContainerEngine,
  createJailWatch,
  detectJails,
  detectPython,
  engineSocket,
  startJailWatchdog,
} from "@rumi/sandbox";

export type AdmissionJob = {
  readonly request: Omit<AdmissionRequest, "python" | "native" | "jails" | "monotonic">;
  readonly sdk_dir: string;
  readonly runner_dir: string;
  readonly container_engine: ContainerEngine;
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
  const found = await jailsFor(job);
  startJailWatchdog(watch, { now_ms: jailNowMs, every_ms: 1 });
  const data: ThreadJob = { request: job.request, jails: { watch, ...found } };
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

/** What a strategy in a process can be boxed in here; nothing is looked for that the others do not need. */
async function jailsFor(job: AdmissionJob): Promise<Pick<JailsJob, "python" | "jails">> {
  const { runtime_kind } = job.request.descriptor;
  if (runtime_kind !== "python" && runtime_kind !== "rust_native") return { python: null };
  const python = detectPython(process.env["PATH"] ?? "");
  const jails = await detectJails(python, job.container_engine);
  const best = jails.find((jail) => jail.available && jail.strict) ?? jails.find((jail) => jail.available);
  const { sdk_dir, runner_dir } = job;
  const socket = engineSocket(job.container_engine);
  const folders = { sdk_dir, runner_dir, ...(socket === undefined ? {} : { engine_socket: socket }) };
  return {
    python: python.ok && best !== undefined ? { python: python.value, mechanism: best.mechanism, ...folders } : null,
    jails,
  };
}
