/**
 * `docker.*`: containers that a pack runs for itself, out of images that its grant names by digest.
 *
 * How to think: a pack has no way to the engine; it asks here, and what is created is ours: no network, no mount, nothing to write
 * but a small /tmp, no capability, nobody as its user, bounded memory, processors and processes. An image is never fetched: a
 * person brings it. A container belongs to the principal that ran it, by a label that only this writes; of any other one, nothing
 * is said, not even that it exists.
 *
 * Invariants (packages/rumi/test/pack-capabilities.test.ts)
 * - An image that the grant does not name by its digest is not run; a tag is no name.
 * - One `request_id` of a principal is one container.
 * - A principal never has more than {@link CONTAINER_LIMITS.of_principal}; ended ones make room.
 * - Containers of a pack that is no longer approved are removed at the next look, and all of this home's when the program ends.
 */
import {
  err,
  failure,
  ok,
  sha256Hex,
  uuidv7,
  type Clock,
  type Failure,
  type Json,
  type JsonObject,
  type Random,
  type Result,
} from "@rumi/kernel";
import { Type, type TObject } from "@sinclair/typebox";
import { strictArgs } from "../capabilities/args.ts";
import { named, type Builtin, type BuiltinUse } from "../capabilities/builtins.ts";
import { packOfPrincipal } from "../grants/model.ts";
import { streamsOf, type Engine, type EngineProblem, type Streams } from "./docker-api.ts";

export const CONTAINER_LIMITS = {
  of_principal: 8,
  command_words: 64,
  command_word_characters: 4_096,
  environment: 64,
  log_lines: 1_000,
  memory_bytes: 268_435_456,
  processors: 1,
  processes: 64,
  tmp_bytes: 67_108_864,
  stop_seconds: 5,
} as const;
const LABEL_HOME = "rumi.pack.home";
const LABEL_PRINCIPAL = "rumi.pack.principal";
const NOBODY = "65534:65534";

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T): TObject<T> =>
  Type.Object(members, { additionalProperties: false });
const container_id = Type.String({ pattern: "^[0-9a-f]{12,64}$" });
const command = Type.Array(Type.String({ minLength: 1, maxLength: CONTAINER_LIMITS.command_word_characters }), {
  minItems: 1,
  maxItems: CONTAINER_LIMITS.command_words,
});
const environment = Type.Optional(
  Type.Record(Type.String({ pattern: "^[A-Z_][A-Z0-9_]{0,127}$" }), Type.String({ maxLength: 4_096 }), {
    maxProperties: CONTAINER_LIMITS.environment,
    additionalProperties: false,
  }),
);
const RUN = closed({ image: Type.String({ maxLength: 512 }), command, environment });
const EXEC = closed({ container_id, command });
const ONE = closed({ container_id });
const LOGS = closed({
  container_id,
  tail: Type.Optional(Type.Integer({ minimum: 1, maximum: CONTAINER_LIMITS.log_lines })),
});
const NONE = closed({});

export type PackContainerDeps = {
  readonly engine: Engine;
  readonly socket: string;
  /** Tells this home's containers from another one's behind the same engine. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
};
export type PackContainers = {
  readonly builtins: Readonly<Record<string, Builtin>>;
  /** Those that there are; none where no engine answers. */
  readonly standing: () => Promise<readonly PackContainer[]>;
  /** Removes those of packs that `keeps` does not name; how many. */
  readonly sweep: (keeps: (pack_id: string) => boolean | Promise<boolean>) => Promise<number>;
};
export type PackContainer = {
  readonly container_id: string;
  readonly pack_id: string;
  readonly principal_id: string;
  readonly image: string;
  readonly status: "running" | "ended";
};
type Listed = {
  readonly Id: string;
  readonly Image: string;
  readonly State: string;
  readonly Created: number;
  readonly Labels: Readonly<Record<string, string>>;
};

export function createPackContainers(deps: PackContainerDeps): PackContainers {
  const told = (problem: EngineProblem, permission_id: string): Failure =>
    problem.kind === "away"
      ? failure("RUMI-CAP-015", { socket: deps.socket, problem: problem.problem })
      : failure("RUMI-CAP-002", { permission_id, problem: `Docker Engine: ${problem.problem}` });
  const builtin =
    (
      permission_id: string,
      form: TObject,
      act: (use: BuiltinUse, args: JsonObject) => Promise<Result<Json, EngineProblem | Failure>>,
    ): Builtin =>
    async (use) => {
      const args = strictArgs(form, use.args);
      if (!args.ok) return args;
      const done = await act(use, args.value as JsonObject);
      if (done.ok) return done;
      return err("kind" in done.error ? told(done.error, permission_id) : done.error);
    };
  return {
    builtins: {
      "docker.run": builtin("docker.run", RUN, (use, args) => run(use, args as RunArgs, deps)),
      "docker.exec": builtin("docker.exec", EXEC, (use, args) => exec(use, args as ExecArgs, deps)),
      "docker.stop": builtin("docker.stop", ONE, (use, args) => stop(use, args as OneArgs, deps)),
      "docker.logs": builtin("docker.logs", LOGS, (use, args) => logs(use, args as LogArgs, deps)),
      "docker.list": builtin("docker.list", NONE, async (use) => {
        const found = await listed(deps, use.principal);
        return found.ok ? ok({ containers: found.value.map(viewOf) }) : found;
      }),
    },
    standing: async () => {
      const found = await listed(deps);
      return found.ok ? found.value.map(standingOf) : [];
    },
    sweep: async (keeps) => {
      const found = await listed(deps);
      if (!found.ok) return 0; // no engine, no container
      let removed = 0;
      for (const { Id, Labels } of found.value) {
        if (await keeps(packOfPrincipal(Labels[LABEL_PRINCIPAL] ?? ""))) continue;
        removed += (await remove(deps, Id)).ok ? 1 : 0;
      }
      return removed;
    },
  };
}

type RunArgs = {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
};
type OneArgs = { readonly container_id: string };
type ExecArgs = OneArgs & { readonly command: readonly string[] };
type LogArgs = OneArgs & { readonly tail?: number };
type Done = Promise<Result<Json, EngineProblem | Failure>>;

const viewOf = ({ Id, Image, State, Created }: Listed): JsonObject => ({
  container_id: Id,
  image: Image,
  state: State,
  created_at: new Date(Created * 1_000).toISOString(),
});
function standingOf({ Id, Image, State, Labels }: Listed): PackContainer {
  const principal_id = Labels[LABEL_PRINCIPAL] ?? "";
  const pack_id = packOfPrincipal(principal_id);
  return { container_id: Id, pack_id, principal_id, image: Image, status: hasEnded(State) ? "ended" : "running" };
}
const hasEnded = (state: string): boolean => state === "exited" || state === "dead";
const wrong = (permission_id: string, problem: string): Result<never, Failure> =>
  err(failure("RUMI-CAP-002", { permission_id, problem }));

async function run(
  { principal, config, request_id, signal }: BuiltinUse,
  args: RunArgs,
  deps: PackContainerDeps,
): Done {
  const allowed = named(config, "docker.run", "allowed_images", args.image);
  if (!allowed.ok) return allowed;
  const own = await listed(deps, principal);
  if (!own.ok) return own;
  const id = request_id ?? uuidv7(deps.clock.now(), deps.random);
  const name = `rumi-pack-${sha256Hex(JSON.stringify([deps.home, principal, id])).slice(0, 32)}`;
  const room = await makeRoom(own.value, deps);
  if (!room.ok) return room;
  const made = await deps.engine("POST", `/containers/create?name=${name}`, {
    body: createBody(args, principal, deps.home),
    expect: [201, 404, 409],
    signal,
  });
  if (!made.ok) return made;
  if (made.value.status === 404)
    return wrong("docker.run", `${args.image} is not on this machine; bring it: docker pull ${args.image}`);
  // The name is the request's: what has it was created under it.
  const container = made.value.status === 409 ? await owned(name, principal, deps) : idOf(made.value.bytes);
  if (!container.ok) return container;
  const started = await deps.engine("POST", `/containers/${container.value}/start`, { expect: [204, 304], signal });
  if (!started.ok) {
    await remove(deps, container.value);
    return started;
  }
  return ok({ container_id: container.value, created: made.value.status === 201 });
}

/** Ended containers go, oldest first, as long as there is no place for one more. */
async function makeRoom(
  own: readonly Listed[],
  deps: PackContainerDeps,
): Promise<Result<void, Failure | EngineProblem>> {
  const over = own.length - CONTAINER_LIMITS.of_principal + 1;
  if (over <= 0) return ok(undefined);
  const ended = own.filter(({ State }) => hasEnded(State)).toSorted((a, b) => a.Created - b.Created);
  if (ended.length < over)
    return wrong("docker.run", `${CONTAINER_LIMITS.of_principal} containers run already; stop one first`);
  for (const { Id } of ended.slice(0, over)) {
    const gone = await remove(deps, Id);
    if (!gone.ok) return gone;
  }
  return ok(undefined);
}

function createBody(
  { image, command: words, environment: env = {} }: RunArgs,
  principal: string,
  home: string,
): JsonObject {
  const { memory_bytes, processors, processes, tmp_bytes } = CONTAINER_LIMITS;
  return {
    Image: image,
    Cmd: [...words],
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    User: NOBODY,
    Tty: false,
    OpenStdin: false,
    NetworkDisabled: true,
    Healthcheck: { Test: ["NONE"] },
    Labels: { [LABEL_HOME]: home, [LABEL_PRINCIPAL]: principal },
    HostConfig: {
      AutoRemove: false,
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      NetworkMode: "none",
      IpcMode: "none",
      PidMode: "",
      CgroupnsMode: "private",
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: [],
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Devices: [],
      Mounts: [],
      Binds: [],
      Memory: memory_bytes,
      MemorySwap: memory_bytes,
      NanoCpus: processors * 1_000_000_000,
      PidsLimit: processes,
      Tmpfs: { "/tmp": `rw,noexec,nosuid,nodev,mode=1777,size=${tmp_bytes}` },
    },
  };
}

/** Runs a command in a container; one that is late ends with its container, for nothing else ends it. */
async function exec({ principal, signal, timeout_seconds }: BuiltinUse, args: ExecArgs, deps: PackContainerDeps): Done {
  const found = await owned(args.container_id, principal, deps);
  if (!found.ok) return found;
  const container = found.value;
  const body = {
    AttachStdout: true,
    AttachStderr: true,
    AttachStdin: false,
    Tty: false,
    Privileged: false,
    User: NOBODY,
    Cmd: [...args.command],
  };
  const made = await deps.engine("POST", `/containers/${container}/exec`, { body, signal });
  if (!made.ok) return made;
  const id = idOf(made.value.bytes);
  if (!id.ok) return id;
  const done = await deps.engine("POST", `/exec/${id.value}/start`, {
    body: { Detach: false, Tty: false },
    timeout_ms: timeout_seconds * 1_000,
    signal,
  });
  if (!done.ok) {
    await remove(deps, container);
    return done;
  }
  const said = framed(done.value.bytes);
  if (!said.ok) return said;
  const ended = await deps.engine("GET", `/exec/${id.value}/json`, { signal });
  if (!ended.ok) return ended;
  const { ExitCode } = jsonOf(ended.value.bytes) as { readonly ExitCode?: unknown };
  return ok({ exit_code: typeof ExitCode === "number" ? ExitCode : null, ...said.value });
}

async function stop({ principal, signal }: BuiltinUse, args: OneArgs, deps: PackContainerDeps): Done {
  const found = await owned(args.container_id, principal, deps);
  if (!found.ok) return found;
  const { stop_seconds } = CONTAINER_LIMITS;
  const stopped = await deps.engine("POST", `/containers/${found.value}/stop?t=${stop_seconds}`, {
    expect: [204, 304],
    timeout_ms: (stop_seconds + 5) * 1_000,
    signal,
  });
  return stopped.ok ? ok({ container_id: found.value, stopped: stopped.value.status === 204 }) : stopped;
}

async function logs({ principal, signal }: BuiltinUse, args: LogArgs, deps: PackContainerDeps): Done {
  const found = await owned(args.container_id, principal, deps);
  if (!found.ok) return found;
  const tail = args.tail ?? CONTAINER_LIMITS.log_lines;
  const path = `/containers/${found.value}/logs?stdout=1&stderr=1&tail=${tail}`;
  const said = await deps.engine("GET", path, { signal });
  return said.ok ? framed(said.value.bytes) : said;
}

function framed(bytes: Buffer): Result<Streams, EngineProblem> {
  const streams = streamsOf(bytes);
  return streams === undefined ? err({ kind: "refused", problem: "its stream is not framed as agreed" }) : ok(streams);
}

/** The id of a container by id or name, if it is this principal's. */
async function owned(
  wanted: string,
  principal: string,
  { engine, home }: PackContainerDeps,
): Promise<Result<string, EngineProblem | Failure>> {
  const seen = await engine("GET", `/containers/${wanted}/json`, { expect: [200, 404] });
  if (!seen.ok) return seen;
  const facts = jsonOf(seen.value.bytes) as {
    readonly Id?: unknown;
    readonly Config?: { readonly Labels?: Readonly<Record<string, unknown>> };
  };
  const labels = facts.Config?.Labels ?? {};
  const isOwn = seen.value.status === 200 && labels[LABEL_HOME] === home && labels[LABEL_PRINCIPAL] === principal;
  return isOwn && typeof facts.Id === "string"
    ? ok(facts.Id)
    : err(failure("RUMI-SYS-011", { what: "container", id: wanted }));
}

async function listed(
  { engine, home }: PackContainerDeps,
  principal?: string,
): Promise<Result<readonly Listed[], EngineProblem>> {
  const label = [`${LABEL_HOME}=${home}`, ...(principal === undefined ? [] : [`${LABEL_PRINCIPAL}=${principal}`])];
  const found = await engine("GET", `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify({ label }))}`);
  if (!found.ok) return found;
  const list = jsonOf(found.value.bytes);
  if (!Array.isArray(list)) return err({ kind: "refused", problem: "its list of containers is none" });
  // Asked for and looked at: what is not this home's is not touched, whatever the engine answers.
  const isOwn = ({ Labels }: Listed): boolean =>
    Labels[LABEL_HOME] === home && (principal === undefined || Labels[LABEL_PRINCIPAL] === principal);
  return ok((list as readonly Listed[]).filter(isOwn));
}

async function remove({ engine }: PackContainerDeps, container: string): Promise<Result<void, EngineProblem>> {
  const gone = await engine("DELETE", `/containers/${container}?force=1&v=1`, { expect: [204, 404, 409] });
  return gone.ok ? ok(undefined) : gone;
}

function idOf(bytes: Buffer): Result<string, EngineProblem> {
  const { Id } = jsonOf(bytes) as { readonly Id?: unknown };
  return typeof Id === "string" && /^[0-9a-f]{12,64}$/.test(Id)
    ? ok(Id)
    : err({ kind: "refused", problem: "what it made has no id" });
}

function jsonOf(bytes: Buffer): object {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
