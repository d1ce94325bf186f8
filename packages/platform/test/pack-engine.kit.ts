/**
 * A Docker Engine for tests of packs' own containers: its HTTP interface on a Unix socket, as its reference describes it, strict about
 * every request, and behind each container a process that really runs. It isolates nothing: what is tested is what it is asked.
 *
 * `problems` holds whatever a strict reader of the reference would refuse; a test ends with it empty.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";

export type Created = {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
};
type Container = {
  readonly id: string;
  readonly name: string;
  readonly body: Created;
  readonly at: number;
  state: "created" | "running" | "exited";
  process: ChildProcess | undefined;
  frames: Buffer[];
};
type Exec = { readonly id: string; readonly words: readonly string[]; code: number | null };

export class PackEngine {
  readonly socket: string;
  readonly images = new Set<string>();
  readonly created: Created[] = [];
  readonly problems: string[] = [];
  readonly #server: Server;
  readonly #containers = new Map<string, Container>();
  readonly #execs = new Map<string, Exec>();
  /** Newest version that it speaks. */
  version = "1.47";
  /** Answers this to every step that it names. */
  refuses: Readonly<Record<string, readonly [status: number, text: string]>> = {};

  constructor(folder: string) {
    this.socket = join(folder, "engine.sock");
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on(
        "end",
        () => void this.#answer(request.method ?? "", request.url ?? "", Buffer.concat(chunks), response),
      );
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.socket, resolve));
  }

  get count(): number {
    return this.#containers.size;
  }

  /** A container that somebody else made. */
  foreign(labels: Readonly<Record<string, string>>): string {
    const body = { Image: "other", Cmd: [], Env: [], User: "", Labels: labels, HostConfig: {} };
    return this.#add("foreign", body).id;
  }

  async close(): Promise<void> {
    for (const one of this.#containers.values()) one.process?.kill("SIGKILL");
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #add(name: string, body: Created): Container {
    const id = randomBytes(32).toString("hex");
    const one: Container = {
      id,
      name,
      body,
      at: this.#containers.size + 1,
      state: "created",
      process: undefined,
      frames: [],
    };
    this.#containers.set(id, one);
    return one;
  }

  async #answer(method: string, url: string, bytes: Buffer, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, "http://engine");
    const say = (status: number, value?: unknown): void => {
      response.statusCode = status;
      response.setHeader("Api-Version", this.version);
      response.end(value === undefined ? "" : Buffer.isBuffer(value) ? value : JSON.stringify(value));
    };
    if (pathname === "/_ping") return say(200);
    const [, version, path = ""] = /^\/v(\d+\.\d+)(\/.*)$/.exec(pathname) ?? [];
    if (version !== "1.47") this.problems.push(`${url}: not version 1.47`);
    const [, kind = "", name = "", verb = ""] = /^\/(\w+)\/([\w-]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const step = `${method} ${kind}${verb === "" ? `/${name === "create" || name === "json" ? name : "ID"}` : `/ID/${verb}`}`;
    const refused = this.refuses[step];
    if (refused !== undefined) return say(refused[0], Buffer.from(refused[1]));
    const body = bytes.length === 0 ? undefined : (JSON.parse(bytes.toString("utf8")) as unknown);
    const one = [...this.#containers.values()].find((container) => container.id === name || container.name === name);
    switch (step) {
      case "GET containers/json":
        return say(200, this.#list(searchParams));
      case "POST containers/create":
        return this.#create(searchParams.get("name") ?? "", body as Created, say);
      case "POST exec/ID/start":
        return say(200, await this.#runExec(name));
      case "GET exec/ID/json":
        return say(200, { ExitCode: this.#execs.get(name)?.code ?? null });
    }
    if (kind !== "containers" || one === undefined) return say(404, { message: `No such container: ${name}` });
    switch (step) {
      case "GET containers/ID/json":
        return say(200, { Id: one.id, Config: { Labels: one.body.Labels }, State: { Status: one.state } });
      case "POST containers/ID/start":
        this.#start(one);
        return say(204);
      case "POST containers/ID/stop":
        if (searchParams.get("t") === null) this.problems.push("stop: no time");
        if (one.state !== "running") return say(304);
        one.process?.kill("SIGTERM");
        while (one.process?.exitCode === null && one.process.signalCode === null)
          await new Promise((go) => setTimeout(go, 5));
        one.state = "exited";
        return say(204);
      case "GET containers/ID/logs":
        return say(200, Buffer.concat(one.frames));
      case "POST containers/ID/exec": {
        const exec: Exec = { id: randomBytes(32).toString("hex"), words: (body as { Cmd: string[] }).Cmd, code: null };
        this.#execs.set(exec.id, exec);
        return say(201, { Id: exec.id });
      }
      case "DELETE containers/ID":
        one.process?.kill("SIGKILL");
        this.#containers.delete(one.id);
        return say(204);
    }
    this.problems.push(`${step}: there is no such request`);
    say(404, { message: "page not found" });
  }

  #list(query: URLSearchParams): readonly object[] {
    if (query.get("all") !== "1") this.problems.push("list: not all");
    const { label = [] } = JSON.parse(query.get("filters") ?? "{}") as { readonly label?: readonly string[] };
    return [...this.#containers.values()]
      .filter(({ body }) =>
        label.every((text) => body.Labels[text.slice(0, text.indexOf("="))] === text.slice(text.indexOf("=") + 1)),
      )
      .map(({ id, body, state, at }) => ({
        Id: id,
        Image: body.Image,
        State: state,
        Created: at,
        Labels: body.Labels,
      }));
  }

  #create(name: string, body: Created, say: (status: number, value: unknown) => void): void {
    if (!/^rumi-pack-[0-9a-f]{32}$/.test(name)) this.problems.push(`create: ${name}`);
    if ([...this.#containers.values()].some((one) => one.name === name))
      return say(409, { message: `${name} is in use` });
    if (!this.images.has(body.Image)) return say(404, { message: `No such image: ${body.Image}` });
    this.created.push(body);
    say(201, { Id: this.#add(name, body).id, Warnings: [] });
  }

  #start(one: Container): void {
    if (one.state === "running") return;
    const [file = "", ...args] = one.body.Cmd;
    const env = Object.fromEntries(one.body.Env.map((text) => text.split("=") as [string, string]));
    one.state = "running";
    one.process = spawn(file, args, { env, cwd: "/tmp", stdio: ["ignore", "pipe", "pipe"] });
    one.process.stdout?.on("data", (chunk: Buffer) => one.frames.push(frame(1, chunk)));
    one.process.stderr?.on("data", (chunk: Buffer) => one.frames.push(frame(2, chunk)));
    one.process.on("error", ({ message }) => this.problems.push(message));
    one.process.on("close", () => (one.state = "exited"));
  }

  #runExec(id: string): Promise<Buffer> {
    const exec = this.#execs.get(id);
    const [file = "", ...args] = exec?.words ?? [];
    const child = spawn(file, args, { env: {}, cwd: "/tmp", stdio: ["ignore", "pipe", "pipe"] });
    const frames: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => frames.push(frame(1, chunk)));
    child.stderr.on("data", (chunk: Buffer) => frames.push(frame(2, chunk)));
    return new Promise((resolve) =>
      child.on("close", (code) => {
        if (exec !== undefined) exec.code = code;
        resolve(Buffer.concat(frames));
      }),
    );
  }
}

export function frame(kind: number, chunk: Buffer): Buffer {
  const head = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(chunk.length, 4);
  return Buffer.concat([head, chunk]);
}
