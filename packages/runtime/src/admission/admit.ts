/**
 * Admission: what is checked before every start (M-12.1), and the report that is kept.
 *
 * Checks run in order and all are reported; a check that cannot run because an earlier one failed is not in the report.
 * A report is about exactly one subject, whose digest is its `key`. The runner checks everything again at each start but
 * the smoke and the Wasm box that it would run in, which it leaves out only when it is told a report whose key is that of
 * what it is about to start.
 *
 * Invariant: a key stands for everything the smoke saw; whatever else is started is smoked again (admit.test.ts).
 */
import { ABI_VERSION, parseDescriptor, type StrategyDescriptor, validateConfig } from "@rumi/abi";
import { canonicalJson, type Digest, digestOf, type Failure } from "@rumi/kernel";
import { digestOfPack, loadStrategy, type LoadStrategyOptions, readEntrypoint } from "../strategy/load.ts";
import type { IsolationInForce } from "../strategy/strategy.ts";
import { WasmStrategy } from "../strategy/wasm.ts";
import { deadlineProblem, paceOf, timed } from "./deadline.ts";
import type { AdmissionRequest } from "./request.ts";
import { savedStateProblem } from "./saved-state.ts";
import { smoke } from "./smoke.ts";

/** Digest of everything that the smoke depends on: the pack with whatever the file imports, its contract, configuration, box. */
export function admissionKey({
  pack_digest,
  descriptor,
  config,
  instruments,
  isolation,
  isolation_level,
  venue,
}: Pick<
  AdmissionRequest,
  "pack_digest" | "descriptor" | "config" | "instruments" | "isolation" | "isolation_level" | "venue"
>): Digest {
  const { venue_id } = venue;
  const subject = {
    subject: "rumi-admission-2",
    ...(pack_digest === undefined ? {} : { pack_digest }),
    descriptor,
    config,
    instruments,
    isolation,
    venue_id,
    ...(isolation_level === undefined ? {} : { isolation_level }),
  };
  return digestOf(canonicalJson(subject));
}

export type AdmissionCheck = {
  readonly check:
    | "descriptor"
    | "lane"
    | "capabilities"
    | "config"
    | "deadline"
    | "binary_hash"
    | "isolation"
    | "abi_version"
    | "state_schema"
    | "smoke"
    | "pace";
  readonly passed: boolean;
  readonly reason_code: string | null;
  readonly detail: string;
};
export type AdmissionReport = {
  readonly admitted: boolean;
  /** What the report is about ({@link admissionKey}). */
  readonly key: Digest;
  readonly checks: readonly AdmissionCheck[];
  readonly isolation: IsolationInForce | null;
  /** The first refusal with its code, where another room gave one. */ readonly failure: Failure | null;
};

export function admit(request: AdmissionRequest): AdmissionReport {
  const key = admissionKey(request);
  const checks: AdmissionCheck[] = [];
  let first: Failure | null = null;
  const note = (
    check: AdmissionCheck["check"],
    problem: { readonly reason_code: string; readonly detail: string; readonly failure?: Failure } | null,
    fact = "",
  ): boolean => {
    checks.push({
      check,
      passed: problem === null,
      reason_code: problem?.reason_code ?? null,
      detail: problem?.detail ?? fact,
    });
    first ??= problem?.failure ?? null;
    return problem === null;
  };
  const failed = (
    of: Failure,
  ): { readonly reason_code: string; readonly detail: string; readonly failure: Failure } => ({
    reason_code: of.reasonCode ?? of.code,
    detail: JSON.stringify(of.params),
    failure: of,
  });
  const report = (isolation: IsolationInForce | null): AdmissionReport => ({
    admitted: checks.every((check) => check.passed),
    key,
    checks,
    isolation,
    failure: first,
  });

  const parsed = parseDescriptor(request.descriptor);
  if (!note("descriptor", parsed.ok ? null : failed(parsed.error)) || !parsed.ok) return report(null);
  const descriptor = parsed.value;
  note(
    "lane",
    descriptor.capabilities.lane === "ll" &&
      (descriptor.capabilities.external_services.length > 0 || (descriptor.capabilities.services ?? []).length > 0)
      ? { reason_code: "M.LANE.EXTERNAL_ON_LL", detail: "the low-latency lane forbids external services" }
      : null,
  );
  note("capabilities", capabilityProblem(request, descriptor));
  const config = validateConfig(descriptor.config_schema, request.config);
  note("config", config.ok ? null : failed(config.error));
  // What was judged for this very subject is not measured again in a lane where others run.
  note("deadline", request.admitted === key ? null : deadlineProblem(descriptor));
  const entrypoint = readEntrypoint(request.pack_dir, descriptor);
  note("binary_hash", entrypoint.ok ? null : failed(entrypoint.error));
  if (checks.some((check) => !check.passed) || !config.ok) return report(null);

  const subject = { ...request, descriptor, config: config.value };
  if (request.admitted === key && descriptor.runtime_kind === "rust_wasm" && request.from === undefined) {
    // Its box was judged for this very subject, and the start opens it in any case. Of one that is opened for nothing the
    // address space stays taken until the engine cleans up, and ten thousand starts have none to spare.
    note("state_schema", savedStateProblem(subject, null));
    return report(null);
  }
  const opened = loadStrategy({
    descriptor,
    pack_dir: request.pack_dir,
    ...digestOfPack(request),
    isolation: request.isolation,
    ...levelOf(request),
    ...(request.jails === undefined ? {} : { jails: request.jails }),
    ...(request.python === undefined ? {} : { python: request.python }),
    ...(request.native === undefined ? {} : { native: request.native }),
  });
  if (!note("isolation", opened.ok ? null : failed(opened.error)) || !opened.ok) return report(null);
  const strategy = opened.value;
  try {
    const version = strategy instanceof WasmStrategy ? strategy.abiVersion() : ABI_VERSION;
    if (
      !note(
        "abi_version",
        version === ABI_VERSION
          ? null
          : { reason_code: "M.ABI.VERSION", detail: `the strategy speaks ${version}; this host speaks ${ABI_VERSION}` },
      )
    )
      return report(strategy.isolation);
    if (request.admitted !== key) {
      const watched = timed(strategy, request.monotonic);
      const broken = smoke(subject, watched.strategy);
      note("smoke", broken);
      const { detail, problem } = paceOf(descriptor, watched.took_ms);
      if (broken === null) note("pace", problem, detail);
    }
    note("state_schema", savedStateProblem(subject, strategy));
    return report(strategy.isolation);
  } finally {
    strategy.close();
  }
}

/** A smoke has no watchdog, so what is to run without fuel is tried with it. */
function levelOf({ isolation_level }: AdmissionRequest): Pick<LoadStrategyOptions, "isolation_level"> {
  return isolation_level === undefined || isolation_level === "L0" ? {} : { isolation_level };
}

function capabilityProblem(
  { instruments, venue }: AdmissionRequest,
  { capabilities }: StrategyDescriptor,
): { readonly reason_code: string; readonly detail: string } | null {
  if (!capabilities.venues.includes("*") && !capabilities.venues.includes(venue.venue_id))
    return { reason_code: "M.CAPABILITY.VENUE_NOT_ALLOWED", detail: venue.venue_id };
  const foreign = instruments.find(
    (one) => !capabilities.instruments.includes("*") && !capabilities.instruments.includes(one.instrument_id),
  );
  return foreign === undefined
    ? null
    : { reason_code: "M.CAPABILITY.INSTRUMENT_NOT_ALLOWED", detail: foreign.instrument_id };
}
