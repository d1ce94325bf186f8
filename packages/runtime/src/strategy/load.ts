/**
 * Opens the strategy that a specification names: bytes read once, hashed, compared, and those very bytes are run.
 *
 * This is the second fence behind admission: the runner trusts no earlier look at the file (admit.test.ts and runner.test.ts "[M-2.1.5]").
 */
import { readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { type StrategyDescriptor, verifyBinary } from "@rumi/abi";
import { type Digest, err, type Failure, failure, ok, type Result } from "@rumi/kernel";
import { type CallMark, JAIL_LEVELS, type JailMechanism } from "@rumi/sandbox";
import { type BoxFact, chooseBox, type ChosenBox, type IsolationLevel } from "../isolation/choice.ts";
import { type JailGuard, openNativeStrategy, openPythonStrategy, type PythonHome } from "./process.ts";
import { openQuickJsStrategy } from "./quickjs.ts";
import type { Strategy } from "./strategy.ts";
import { openWasmStrategy } from "./wasm.ts";

export type LoadStrategyOptions = {
  readonly descriptor: StrategyDescriptor;
  readonly pack_dir: string;
  /** What was approved: whatever Python imports from the pack is held to it. Absent: only the entrypoint is held. */
  readonly pack_digest?: Digest;
  readonly isolation: "any" | "strict";
  /** Level that is asked for; absent: the kind's own. */
  readonly isolation_level?: IsolationLevel;
  /** What this machine can box a process in; absent: `python`'s mechanism, and bubblewrap for native binaries. */
  readonly jails?: readonly BoxFact[];
  /** Where a watchdog sees the calls of what runs in the lane's own thread. */
  readonly mark?: CallMark;
  /** For tests of the dual fence (M-5.2.7): leave one fence out. */
  readonly without?: "fuel";
  /** What Python strategies need; absent refuses them. */
  readonly python?: JailGuard & { readonly home: PythonHome };
  /** What native binaries need; absent takes the guard of `python`, and refuses them without. */
  readonly native?: JailGuard;
};

/** The entrypoint's bytes, proven to be the approved ones. */
export function readEntrypoint(
  pack_dir: string,
  descriptor: StrategyDescriptor,
): Result<{ readonly path: string; readonly bytes: Uint8Array }, Failure> {
  let path = join(pack_dir, descriptor.entrypoint);
  let bytes: Uint8Array;
  try {
    const home = realpathSync(pack_dir);
    path = realpathSync(path);
    if (!path.startsWith(home + sep))
      return err(
        failure(
          "RUMI-STR-027",
          { field: "entrypoint", problem: "it lies outside the pack" },
          { reasonCode: "M.DESCRIPTOR.ENTRYPOINT" },
        ),
      );
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    return err(
      failure(
        "RUMI-STR-027",
        { field: "entrypoint", problem: "the file cannot be read" },
        { reasonCode: "M.DESCRIPTOR.ENTRYPOINT", cause },
      ),
    );
  }
  const proven = verifyBinary(descriptor, bytes);
  return proven.ok ? ok({ path, bytes }) : proven;
}

export function loadStrategy(options: LoadStrategyOptions): Result<Strategy, Failure> {
  const { descriptor, python, native = python } = options;
  const entrypoint = readEntrypoint(options.pack_dir, descriptor);
  if (!entrypoint.ok) return entrypoint;
  const box = boxOf(options);
  if (!box.ok) return box;
  const { resources } = descriptor;
  const { instead_of } = box.value;
  const socket = python?.home.engine_socket;
  const engine = socket === undefined ? {} : { engine_socket: socket };
  const mechanism = box.value.mechanism as JailMechanism;
  const watched = options.mark === undefined ? {} : { mark: options.mark };
  switch (descriptor.runtime_kind) {
    case "rust_wasm":
      return openWasmStrategy({
        bytes: entrypoint.value.bytes,
        memory_bytes: resources.memory_bytes,
        fuel_per_event: resources.fuel_per_event,
        ...watched,
        ...(options.without === undefined && box.value.level !== "L0" ? {} : { without: "fuel" }),
        instead_of,
      });
    case "python":
      if (python === undefined) return unsupported("this place hosts no Python");
      return openPythonStrategy({
        descriptor,
        script: entrypoint.value.path,
        pack_dir: realpathSync(options.pack_dir),
        ...digestOfPack(options),
        isolation: options.isolation,
        instead_of,
        ...engine,
        ...python,
        home: { ...python.home, mechanism },
      });
    case "typescript":
      return openQuickJsStrategy({
        bytes: entrypoint.value.bytes,
        memory_bytes: resources.memory_bytes,
        fuel_per_event: resources.fuel_per_event,
        instead_of,
        ...watched,
      });
    case "rust_native":
      if (native === undefined) return unsupported("this place hosts no processes");
      return openNativeStrategy({
        descriptor,
        bytes: entrypoint.value.bytes,
        isolation: options.isolation,
        ...(mechanism === "self-jail" ? {} : { mechanism }),
        instead_of,
        ...engine,
        watch: native.watch,
        now_ms: native.now_ms,
      });
  }
}

/** The pack's, where it is known. */
export function digestOfPack({
  pack_digest,
}: Pick<LoadStrategyOptions, "pack_digest">): Pick<LoadStrategyOptions, "pack_digest"> {
  return pack_digest === undefined ? {} : { pack_digest };
}

function boxOf({ descriptor, python, jails, ...wish }: LoadStrategyOptions): Result<ChosenBox, Failure> {
  const { runtime_kind } = descriptor;
  const mechanism = runtime_kind === "rust_native" ? "bubblewrap" : python?.home.mechanism;
  const only =
    mechanism === undefined ? [] : [{ mechanism, level: JAIL_LEVELS[mechanism], available: true, reason: null }];
  const box = chooseBox(runtime_kind, wish, jails ?? only);
  if (box.ok || (runtime_kind === "python" && python === undefined))
    return box.ok ? box : unsupported("this place hosts no Python");
  const { needs, problem } = box.error;
  return err(failure("RUMI-STR-064", { mechanism: needs, problem }, { reasonCode: "M.SANDBOX.ISOLATION_TOO_WEAK" }));
}

const unsupported = (problem: string): Result<never, Failure> =>
  err(failure("RUMI-STR-027", { field: "runtime_kind", problem }, { reasonCode: "M.DESCRIPTOR.RUNTIME_KIND" }));
