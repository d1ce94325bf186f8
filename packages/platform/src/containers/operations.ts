/**
 * What an operator may do with the boxes that packs' Python stands in: see whether there is an engine and which isolation is in
 * force, see the boxes, have one stand ready, end those of a pack.
 *
 * A pack's box is a container where the engine is named, and a jail everywhere else; it is started for a block by itself. So
 * stopping ends what runs now, and keeps no later block from running: for that a pack is rejected.
 */
import { err, failure, failureText, ID_PATTERNS, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type Metrics } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import type { Boxes, StandingBox } from "../flows/blocks.ts";
import { readApproval } from "../packs/tables.ts";
import type { EngineAnswer } from "./engine.ts";
import type { PackContainers } from "./pack-containers.ts";

/** How packs' Python is isolated on this machine now. */
export type Isolation = {
  readonly mechanism: string;
  readonly level: string;
} | null;
export type ContainerDeps = {
  readonly boxes: Boxes;
  /** Containers that packs run for themselves (pack-containers.ts). */
  readonly packContainers: Pick<PackContainers, "standing" | "sweep">;
  readonly engine: () => Promise<EngineAnswer>;
  readonly engine_socket: string;
  readonly isolation: () => Promise<Result<NonNullable<Isolation>, Failure>>;
  readonly security_mode: string;
  /** As RUMI_CONTAINER_ENGINE names it. */
  readonly container_engine: string;
  readonly metrics: Metrics;
};

const closed = { additionalProperties: false } as const;
const OPEN = { additionalProperties: true } as const;
const READERS = ["view_only", "operator", "admin"] as const;
const NO_DANGER = () => ({ kind: "none" }) as const;
const nullableText = Type.Union([Type.String(), Type.Null()]);
const PackInput = Type.Object(
  {
    pack_id: Type.String({ pattern: ID_PATTERNS.pack }),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
  },
  closed,
);
const target = ({ pack_id }: { readonly pack_id: string }) => ({ resource_type: "container", resource_id: pack_id });

const StatusAnswer = Type.Object(
  {
    available: Type.Boolean({ description: "Whether a Docker Engine answers." }),
    required: Type.Boolean({ description: "Whether packs run in it and nowhere else." }),
    api_version: nullableText,
    reason: nullableText,
    socket: Type.String(),
    container_engine: Type.String(),
    security_mode: Type.String(),
    isolation: Type.Union([Type.Object({ mechanism: Type.String(), level: Type.String() }, OPEN), Type.Null()]),
    isolation_problem: nullableText,
  },
  OPEN,
);
const Box = Type.Object(
  {
    pack_id: Type.String(),
    principal_id: Type.String(),
    status: Type.Union([Type.Literal("running"), Type.Literal("idle"), Type.Literal("ended")]),
    mechanism: Type.String(),
    calls: Type.Integer({ minimum: 0 }),
    container_id: Type.Optional(Type.String({ description: "Of one that the pack runs for itself." })),
    image: Type.Optional(Type.String()),
  },
  OPEN,
);
const ContainersAnswer = Type.Object({ containers: Type.Array(Box), count: Type.Integer({ minimum: 0 }) }, OPEN);
const ChangedAnswer = Type.Object(
  { pack_id: Type.String(), status: Type.String(), containers: Type.Array(Box), ended: Type.Integer({ minimum: 0 }) },
  OPEN,
);

export function containerDeclarations(deps: ContainerDeps): readonly Declaration[] {
  return [
    dockerStatus(deps),
    listContainers(deps),
    startContainer(deps),
    ...ENDINGS.map((one) => endContainer(one, deps)),
  ];
}

const dockerStatus = ({ metrics, ...deps }: ContainerDeps): Declaration => {
  const available = metrics.gauge("docker.available", "Whether a Docker Engine answers: 1 or 0.");
  return defineQuery({
    name: "docker.status",
    summary: "Whether there is a Docker Engine, and how packs' Python is isolated here",
    http: { method: "GET", path: "/api/docker/status" },
    input: Type.Object({}, closed),
    output: StatusAnswer,
    permission: READERS,
    read: async () => {
      const engine = await deps.engine();
      const isolation = await deps.isolation();
      available.set(engine.available ? 1 : 0);
      return ok({
        available: engine.available,
        required: deps.container_engine.startsWith("docker"),
        api_version: engine.available ? engine.api_version : null,
        reason: engine.available ? null : engine.reason,
        socket: deps.engine_socket,
        container_engine: deps.container_engine,
        security_mode: deps.security_mode,
        isolation: isolation.ok ? isolation.value : null,
        isolation_problem: isolation.ok ? null : failureText(isolation.error, "en").text,
      });
    },
  });
};

const listContainers = ({ boxes, packContainers }: ContainerDeps): Declaration =>
  defineQuery({
    name: "containers.list",
    summary: "The boxes that packs' Python stands in now",
    http: { method: "GET", path: "/api/containers" },
    input: Type.Object({}, closed),
    output: ContainersAnswer,
    permission: READERS,
    read: async () => {
      const own = (await packContainers.standing()).map((one) => ({ ...one, mechanism: "docker", calls: 0 }));
      const containers = [...boxes.standing(), ...own];
      return ok({ containers, count: containers.length });
    },
  });

async function stateOf(reader: Reader, store: Pick<Store, "builder">, pack_id: string): Promise<string> {
  return (await readApproval(reader, store, pack_id))?.state ?? "not installed";
}

const ofPack = (boxes: ContainerDeps["boxes"], pack_id: string): readonly StandingBox[] =>
  boxes.standing().filter((one) => one.pack_id === pack_id);

const startContainer = ({ boxes, metrics }: ContainerDeps): Declaration => {
  const started = metrics.counter("container.start.success", "Boxes of packs that were started when asked for.");
  const refused = metrics.counter("container.start.failed", "Boxes of packs that could not be started.");
  return defineOperation({
    name: "containers.start",
    summary: "Have a box of an approved pack stand ready",
    http: { method: "POST", path: "/api/containers/{pack_id}/start" },
    input: PackInput,
    output: ChangedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, { pack_id }, { store }) => stateOf(reader, store, pack_id),
    decide: (state, { pack_id }) =>
      state === "approved"
        ? ok({ writes: [], events: [], outbox: [], data: { pack_id, status: "running", containers: [], ended: 0 } })
        : err(failure("RUMI-PACK-006", { pack_id, state })),
    settle: async (data) => {
      const { pack_id } = data as { readonly pack_id: string };
      const box = ofPack(boxes, pack_id).length > 0 ? ok(undefined) : await boxes.start(pack_id);
      if (!box.ok) refused.add();
      if (!box.ok) return box;
      started.add();
      return ok({ pack_id, status: "running", containers: ofPack(boxes, pack_id), ended: 0 });
    },
  });
};

const ENDINGS = [
  { verb: "stop", method: "POST", path: "/api/containers/{pack_id}/stop", status: "stopped", what: "End" },
  { verb: "delete", method: "DELETE", path: "/api/containers/{pack_id}", status: "deleted", what: "Take away" },
] as const;

const endContainer = (ending: (typeof ENDINGS)[number], { boxes, packContainers }: ContainerDeps): Declaration =>
  defineOperation({
    name: `containers.${ending.verb}`,
    summary: `${ending.what} the boxes of a pack; a block that runs in one has failed, and the next one gets a new box`,
    http: { method: ending.method, path: ending.path },
    input: PackInput,
    output: ChangedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, { pack_id }, { store }) => stateOf(reader, store, pack_id),
    decide: (state, { pack_id }) =>
      state === "not installed" && ofPack(boxes, pack_id).length === 0
        ? err(failure("RUMI-PACK-005", { pack_id }))
        : ok({
            writes: [],
            events: [],
            outbox: [],
            data: { pack_id, status: ending.status, containers: [], ended: 0 },
          }),
    settle: async (data) => {
      const { pack_id } = data as { readonly pack_id: string };
      const ended = (await boxes.end(pack_id)) + (await packContainers.sweep((other) => other !== pack_id));
      return ok({ pack_id, status: ending.status, containers: [], ended });
    },
  });
