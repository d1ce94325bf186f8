/** Proof-carrying runs put together: where they lie, which repositories they may use, what their commands are given. */
import type { Declaration } from "@rumi/operations";
import type { Attester } from "@rumi/ledger";
import type { Reconciler } from "@rumi/platform";
import {
  createRunEngine,
  findBox,
  packDeclarations,
  runDeclarations,
  runFiles,
  runReconciler,
  systemGit,
} from "@rumi/runs";
import { engineSocket } from "@rumi/sandbox";
import { isLoopback } from "@rumi/server";
import type { Store } from "@rumi/store";
import { writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import type { ProgramOptions } from "./parts.ts";

export type Runs = {
  readonly declarations: readonly Declaration[];
  readonly reconciler: Reconciler;
  readonly close: () => Promise<void>;
};

export function openRuns(store: Store, paths: HomePaths, attester: Attester, options: ProgramOptions): Runs {
  const { clock, random, scrubber, settings } = options;
  const path = process.env["PATH"] ?? "/usr/bin:/bin";
  const git = systemGit(path);
  const root = paths.code_runs;
  const engine = createRunEngine({
    store,
    clock,
    random,
    logger: options.logger.child("runs"),
    attester,
    mechanism: () => findBox(path),
    writeDurably: (file, text) => writeFileDurably(file, text, 0o600),
    shop: {
      clock,
      scrubber,
      git,
      root,
      path,
      hidden: [paths.user_data, settings.egress_sock_dir, settings.capability_sock_dir],
      blocked: engineSockets(settings),
      environment: passedOn(settings),
    },
  });
  const closing = new AbortController();
  const files = runFiles({ store, clock, root, closing: closing.signal });
  return {
    declarations: [
      ...runDeclarations({
        git,
        root,
        roots: runRoots(settings),
        mechanism: engine.mechanism,
        stop: (run_id) => engine.stop(run_id),
        scrubber,
        files,
      }),
      ...packDeclarations({ git, root, attester, write: (file, data) => writeFileDurably(file, data, 0o600) }),
    ],
    reconciler: runReconciler(engine),
    close: async () => {
      closing.abort();
      await engine.close();
    },
  };
}

/** Whoever is not on this machine names no paths of it that nobody allowed. */
function runRoots({ run_roots, api_bind_address }: Settings): "any" | readonly string[] {
  return run_roots.length === 0 && isLoopback(api_bind_address) ? "any" : run_roots;
}

function passedOn({ run_env }: Settings): Readonly<Record<string, string>> {
  const pairs = run_env.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** Where engines usually listen, and where the settings say that one does. */
function engineSockets({ container_engine }: Settings): readonly string[] {
  const named = engineSocket(container_engine);
  const usual = ["docker.sock", "containerd/containerd.sock", "podman/podman.sock", "crio/crio.sock"].map(
    (name) => `/run/${name}`,
  );
  return named === undefined || usual.includes(named) ? usual : [...usual, named];
}
