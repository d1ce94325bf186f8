/** The control plane of a home, put together. */
import { join } from "node:path";
import { createControlPlane, type ControlPlane, type Thresholds } from "@rumi/control";
import { ok } from "@rumi/kernel";
import { attesterFromPem, proveEvent } from "@rumi/ledger";
import type { Metrics } from "@rumi/operations";
import type { PackLibrary } from "@rumi/platform";
import { storedLog, type Store } from "@rumi/store";
import { declaredFunds, loadRecordings } from "@rumi/venues";
import { emergencyFile } from "../home/emergency-file.ts";
import { admissionProcess } from "./admission.ts";
import { bundleSources } from "./bundle-sources.ts";
import type { HeldHome } from "./open-home.ts";
import type { ProgramOptions } from "./parts.ts";
import { supplySources } from "./supply-sources.ts";

export function openControl(
  store: Store,
  packs: PackLibrary,
  { paths, home, keys }: HeldHome,
  metrics: Metrics,
  {
    settings,
    installation,
    clock,
    random,
    logger,
    scrubber,
    interlocks,
  }: ProgramOptions & { readonly interlocks: Thresholds },
): ControlPlane {
  return createControlPlane({
    store,
    clock,
    random,
    packs,
    logger: logger.child("control"),
    environment: home.environment,
    dangerous_operations: settings.dangerous_operations,
    second_person_wait_seconds: settings.second_person_wait_seconds,
    interlocks,
    isolation_floor: settings.security_mode === "strict" ? "strict" : "any",
    attester: attesterFromPem(keys.attestation_pem),
    bundles: bundleSources({ paths, settings, installation, metrics, environment: process.env, scrubber }),
    supply: supplySources(paths, settings),
    emergency_file: emergencyFile(join(paths.user_data, "emergency.spool")),
    runDir: (bot_id, run_id) => join(paths.runs, bot_id, run_id),
    funds: declaredFunds(join(paths.settings, "funds.json")),
    admit: admissionProcess(installation, settings.container_engine),
    inspectRecordings: async (files) => {
      const loaded = await loadRecordings(files, { cache_dir: paths.cache });
      return loaded.ok ? ok(loaded.value.report) : loaded;
    },
    proveEvent: async (reader, _event_id, log_index) => {
      const log = storedLog(store, reader);
      const [opened] = await log.payloads(log_index, log_index + 1);
      return proveEvent(log, log_index, opened);
    },
  });
}
