/**
 * Isolation drivers: raw bytes in and out of code that nobody trusts. Knows nothing of what the bytes mean.
 */
export * from "./fault.ts";
export * from "./limits.ts";
export { openWasmBox, WASM_FAULTED, WasmBox, type WasmBoxOptions } from "./wasm/box.ts";
export {
  announceThread,
  CallMark,
  type CallWatch,
  createCallWatch,
  type LateCall,
  startCallWatchdog,
  UNWATCHED,
  watchedThread,
} from "./wasm/call-watch.ts";
export { OwnTime, ownThread, type ThreadTimes, threadTimes } from "./own-time.ts";
export { measureFuelNs, measureWasmCall, openQuietBox, openSpinningBox } from "./wasm/measure.ts";
export { ENTRY, type RewrittenModule, type RewriteOptions, rewriteModule, type WasmEntry } from "./wasm/rewrite.ts";
export { measureScriptFuelNs } from "./quickjs/measure.ts";
export { openQuickJsBox, QuickJsBox, type QuickJsBoxOptions } from "./quickjs/box.ts";
export { treeCpuMs } from "./jail/cpu-time.ts";
export { DOCKER_SOCKET, DOCKER_VERSIONS } from "./docker/container.ts";
export { detectJails, type JailFacts } from "./jail/detect.ts";
export { assembleFilter, type FilterOptions, type FilterStage, type Processor, processorOf } from "./jail/filter.ts";
export type { LogCounts } from "./jail/log.ts";
export { type JailExit, JailedProcess, spawnJail } from "./jail/process.ts";
export { detectPython, type PythonFacts } from "./jail/python.ts";
export {
  CONTAINER_ENGINES,
  type ContainerEngine,
  engineSocket,
  isOffered,
  parseContainerEngine,
  JAIL_LEVELS,
  JAIL_CONNECTIONS_MAX,
  JAIL_MECHANISMS,
  LOCAL_MECHANISMS,
  type LocalMechanism,
  type JailLevel,
  type JailMechanism,
  type JailProgram,
  type JailSocket,
  type JailSpec,
} from "./jail/spec.ts";
export {
  createJailWatch,
  type JailWatch,
  type JailWatchdogOptions,
  launchSyncJail,
  type StandbyJail,
  spawnSyncJail,
  startJailWatchdog,
  SyncJailedProcess,
  type SyncJailOptions,
} from "./jail/sync-process.ts";
