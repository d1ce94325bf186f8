/**
 * A Docker Engine for tests: its HTTP interface on a Unix socket, as its reference describes it, strict about every request,
 * and behind an attachment a process that really runs. It isolates nothing: what is tested with it is what the engine is asked,
 * and that a strategy lives behind what it answers.
 *
 * How to think: `problems` holds whatever a strict reader of the reference would refuse; a test ends with it empty. `mood`
 * makes it misbehave.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";

type Container = {
  readonly id: string;
  readonly name: string;
  readonly body: CreateBody;
  readonly waiting: ((status: number) => void)[];
  attached: Duplex | undefined;
  process: ChildProcess | undefined;
};
export type CreateBody = {
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
};
export type Mood = {
  /** Newest version that it speaks. */
  version?: string;
  /** Steps that it refuses, with status and message. */
  refuses?: Readonly<Record<string, readonly [status: number, message: string]>>;
  /** Steps that it never answers. */
  silent?: readonly string[];
  /** A step that it takes up so many milliseconds after it was asked, whoever still waits for it. */
  slow?: Readonly<Record<string, number>>;
  /** Sends this instead of a framed stream. */
  garbles?: Uint8Array;
};

type Read = { readonly step: string; readonly container: string; readonly query: string };

const FIELDS =
  "AttachStderr AttachStdin AttachStdout Cmd Entrypoint Env Healthcheck HostConfig Hostname Image Labels NetworkDisabled " +
  "OpenStdin StdinOnce Tty User WorkingDir";
const HOST_FIELDS =
  "AutoRemove CapAdd CapDrop CgroupnsMode Devices GroupAdd IpcMode LogConfig MaskedPaths Memory MemorySwap Mounts NanoCpus " +
  "NetworkMode PidMode PidsLimit Privileged ReadonlyPaths ReadonlyRootfs RestartPolicy SecurityOpt Tmpfs";
const sorted = (of: object): string => Object.keys(of).toSorted().join(" ");

export class FakeEngine {
  readonly socket: string;
  readonly mood: Mood = {};
  /** Every request, as `METHOD /path` without the version and with `ID` for a container. */
  readonly requests: string[] = [];
  readonly created: CreateBody[] = [];
  readonly problems: string[] = [];
  readonly archives: Buffer[] = [];
  readonly #server: Server;
  readonly #containers = new Map<string, Container>();

  constructor(folder: string) {
    this.socket = join(folder, "docker.sock");
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const read = this.#read(request);
        setTimeout(
          () => this.#answer(request, response, Buffer.concat(chunks), read),
          this.mood.slow?.[read.step] ?? 0,
        );
      });
    });
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex) => this.#attach(request, socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.socket, resolve));
  }

  /** Containers that it has. */
  get count(): number {
    return this.#containers.size;
  }

  /** Of those that it has, oldest first. */
  get labels(): readonly CreateBody["Labels"][] {
    return [...this.#containers.values()].map(({ body }) => body.Labels);
  }

  /** A container that somebody left behind. */
  leave(labels: Readonly<Record<string, string>>): void {
    const id = randomBytes(32).toString("hex");
    const body = { Cmd: [], Env: [], Image: "", Labels: labels };
    const container = { id, name: `left-${id}`, body, waiting: [], attached: undefined, process: undefined };
    this.#containers.set(id, container);
  }

  /** What runs in its containers ends, as if the kernel had run out of memory. */
  endAll(): void {
    for (const { process: running } of this.#containers.values())
      if (running?.pid !== undefined) process.kill(-running.pid, "SIGKILL");
  }

  close(): Promise<void> {
    for (const one of this.#containers.values()) this.#remove(one);
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #problem(text: string): void {
    this.problems.push(text);
  }

  /** Method and path without the version, and what was behind the question mark. */
  #read(request: IncomingMessage): Read {
    const url = new URL(request.url ?? "", "http://engine");
    const versioned = /^\/v(\d+\.\d+)(\/.*)$/.exec(url.pathname);
    const newest = this.mood.version ?? "1.47";
    if (url.pathname !== "/_ping" && versioned?.[1] !== newest) this.#problem(`${url.pathname}: not version ${newest}`);
    const path = versioned?.[2] ?? url.pathname;
    const container = /^\/containers\/([^/]+)/.exec(path)?.[1] ?? "";
    const isOne = container !== "json" && container !== "create" && container !== "";
    const step = `${request.method ?? ""} ${isOne ? path.replace(container, "ID") : path}`;
    this.requests.push(step);
    if (request.headers.host === undefined) this.#problem(`${step}: no Host`);
    return { step, container, query: [...url.searchParams].map(([name, value]) => `${name}=${value}`).join("&") };
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: Buffer, { step, container, query }: Read): void {
    const say = (status: number, value?: unknown): void => {
      if (response.headersSent) return void response.end(JSON.stringify(value));
      response.statusCode = status;
      response.setHeader("Api-Version", this.mood.version ?? "1.47");
      if (value === undefined) return void response.end();
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (this.mood.silent?.includes(step) === true) return;
    const refused = this.mood.refuses?.[step];
    if (refused !== undefined) return say(refused[0], { message: refused[1] });
    const one = [...this.#containers.values()].find(({ id, name }) => id === container || name === container);
    switch (step) {
      case "GET /_ping":
        return say(200);
      case "GET /containers/json": {
        // Jails ask for the owner's label, packs' own containers for that of their home.
        const isKnown =
          /^all=1&filters=\{"label":\["rumi\.(?:jail\.owner|pack\.home=[0-9a-f]{32})"(?:,"rumi\.pack\.principal=[^"]+")?\]\}$/;
        if (!isKnown.test(query)) this.#problem(`${step}: ${query}`);
        const all = query.includes("rumi.jail.owner") ? [...this.#containers.values()] : [];
        return say(
          200,
          all.map(({ id, body: { Labels } }) => ({ Id: id, Labels })),
        );
      }
      case "POST /images/create":
        if (query !== "fromSrc=-&repo=rumi-jail&tag=1") this.#problem(`${step}: ${query}`);
        if (request.headers["content-type"] !== "application/octet-stream") this.#problem(`${step}: no archive`);
        this.archives.push(body);
        return say(200, { status: `sha256:${"1".repeat(64)}` });
      case "POST /containers/create":
        return this.#create(query, body, say);
      case "DELETE /containers/ID":
        if (query !== "force=1&v=1") this.#problem(`${step}: ${query}`);
        if (one === undefined) return say(404, { message: `No such container: ${container}` });
        this.#remove(one);
        return say(204);
    }
    if (one === undefined) return say(404, { message: `No such container: ${container}` });
    if (body.length > 0) this.#problem(`${step}: it takes no body`);
    if (step === "POST /containers/ID/wait") {
      if (query !== "condition=next-exit") this.#problem(`${step}: ${query}`);
      one.waiting.push((status) => say(200, { StatusCode: status }));
      return response.flushHeaders();
    }
    if (step === "POST /containers/ID/start") {
      if (query !== "") this.#problem(`${step}: ${query}`);
      if (one.attached === undefined) this.#problem(`${step}: what it says first would be lost`);
      this.#start(one);
      return say(204);
    }
    this.#problem(`${step}: there is no such request`);
    say(404, { message: "page not found" });
  }

  #create(query: string, bytes: Buffer, say: (status: number, value?: unknown) => void): void {
    if (!/^name=rumi-jail-[0-9a-f]{16}$/.test(query)) this.#problem(`create: ${query}`);
    const body = JSON.parse(bytes.toString("utf8")) as CreateBody & { readonly HostConfig: object };
    if (this.archives.length === 0) return say(404, { message: `No such image: ${body.Image}` });
    if (sorted(body) !== FIELDS) this.#problem(`create: ${sorted(body)}`);
    if (sorted(body.HostConfig) !== HOST_FIELDS) this.#problem(`create: ${sorted(body.HostConfig)}`);
    const id = randomBytes(32).toString("hex");
    const name = query.slice("name=".length);
    this.#containers.set(id, { id, name, body, waiting: [], attached: undefined, process: undefined });
    this.created.push(body);
    say(201, { Id: id, Warnings: [] });
  }

  #attach(request: IncomingMessage, socket: Duplex): void {
    const { step, container, query } = this.#read(request);
    const one = this.#containers.get(container);
    socket.on("error", () => undefined);
    if (this.mood.silent?.includes(step) === true) return;
    if (query !== "stream=1&stdin=1&stdout=1&stderr=1") this.#problem(`${step}: ${query}`);
    if (request.headers.upgrade !== "tcp") this.#problem(`${step}: upgrade ${String(request.headers.upgrade)}`);
    const refused = this.mood.refuses?.[step];
    if (one === undefined || refused !== undefined) {
      const [status, message] = refused ?? [404, "No such container"];
      const text = JSON.stringify({ message });
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      return;
    }
    const type = "Content-Type: application/vnd.docker.multiplexed-stream";
    socket.write(`HTTP/1.1 101 UPGRADED\r\n${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
    one.attached = socket;
  }

  #start(one: Container): void {
    const { Cmd, Env } = one.body;
    const { attached } = one;
    const [file = "", ...args] = Cmd;
    const env = Object.fromEntries(Env.map((text) => text.split("=") as [string, string]));
    const child = spawn(file, args, { env, cwd: "/tmp", stdio: "pipe", detached: true });
    one.process = child;
    if (this.mood.garbles !== undefined) attached?.write(this.mood.garbles);
    // In pieces that respect nothing, as a network may deliver them.
    const frame = (kind: number) => (chunk: Buffer) => {
      const head = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
      head.writeUInt32BE(chunk.length, 4);
      attached?.write(head.subarray(0, 3));
      attached?.write(Buffer.concat([head.subarray(3), chunk.subarray(0, 1)]));
      attached?.write(chunk.subarray(1));
    };
    child.stdout.on("data", frame(1));
    child.stderr.on("data", frame(2));
    child.stdin.on("error", () => undefined);
    attached?.on("data", (chunk: Buffer) => child.stdin.write(chunk));
    attached?.on("end", () => child.stdin.end());
    attached?.on("close", () => child.stdin.end());
    child.on("error", (cause) => this.#problem(`start: ${cause.message}`));
    child.on("close", (code, signal) => {
      attached?.end();
      const status = code ?? (signal === "SIGKILL" ? 137 : 143);
      for (const tell of one.waiting.splice(0)) tell(status);
      this.#containers.delete(one.id);
    });
  }

  #remove(one: Container): void {
    this.#containers.delete(one.id);
    const { pid } = one.process ?? {};
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // it ended by itself
    }
    if (pid === undefined) one.attached?.end();
  }
}
