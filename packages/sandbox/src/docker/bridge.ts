/**
 * One container of the Docker Engine as a process of ours: its standard streams are the container's, its exit code too,
 * and when it ends, however it ends, the container ends.
 *
 * How to think: a lane blocks on pipes and cannot speak HTTP, so a small process does. `bridge` is the whole program of that
 * process: it is given to `node -e` as text (`bridgeArguments`), so it may name nothing of this module nor of any other,
 * only what it is handed. It asks for the engine's version, takes away what bridges that are gone left behind, creates,
 * attaches (an upgraded connection that carries stdin one way and framed stdout and stderr the other), waits and starts.
 *
 * Invariants (docker.test.ts)
 * - Closed stdin or SIGTERM removes the container, also one that is just being created, and the bridge is gone within
 *   {@link BRIDGE_TIMES.end_ms} either way.
 * - Whatever the engine refuses is told in one line, with exit code {@link ENGINE_REFUSED}; nothing of the strategy has run.
 * - A stream that is not framed as agreed ends the container.
 * - A container is swept only where its bridge would be seen if it were alive: one engine may serve several such places.
 */
import type * as Fs from "node:fs";
import type * as Http from "node:http";
import type { Duplex } from "node:stream";

/** Exit code of a bridge whose engine cannot be reached or does not do what it is asked. */
export const ENGINE_REFUSED = 125;

export const BRIDGE_TIMES = {
  /** One request to the engine, the wait for the container's end excepted. */
  request_ms: 10_000,
  /** From the wish to end until the bridge is gone, whether the engine answers or not. */
  end_ms: 2_000,
} as const;

export type BridgeJob = {
  readonly socket: string;
  /** Of the container; nobody else has it. */
  readonly name: string;
  readonly image: { readonly repository: string; readonly tag: string; readonly archive_base64: string };
  /** What the engine is asked to create, but for the owner's label. */
  readonly create: { readonly [field: string]: unknown };
  readonly owner_label: string;
  /** Oldest and newest version of the engine's interface that this speaks, as `1.41`. */
  readonly versions: readonly [oldest: string, newest: string];
  readonly times: { readonly request_ms: number; readonly end_ms: number };
  readonly refused: number;
};

type Given = { readonly fs: typeof Fs; readonly http: typeof Http; readonly process: NodeJS.Process };

/** What `node` is started with. */
export function bridgeArguments(job: BridgeJob): readonly string[] {
  const given = '{ fs: require("node:fs"), http: require("node:http"), process }';
  return ["-e", `(${bridge.toString()})(${given}, JSON.parse(process.argv[1]))`, "--", JSON.stringify(job)];
}

/* The program. No name of the module's may stand in it. */
function bridge({ fs, http, process: me }: Given, job: BridgeJob): void {
  type Answer = { readonly status: number; readonly text: string; readonly headers: Http.IncomingHttpHeaders };
  const FRAME_HEAD = 8;
  let version = "";
  let container = "";
  let attached: Duplex | undefined;
  /** Its creation, until the engine has answered. */
  let creation: Promise<unknown> | undefined;
  let ending = false;

  const message = (text: string): string => {
    try {
      const said = (JSON.parse(text) as { readonly message?: unknown }).message;
      return (typeof said === "string" ? said : text).slice(0, 200);
    } catch {
      return text.slice(0, 200);
    }
  };
  const refuse = (problem: string): void => {
    me.exitCode = job.refused;
    fs.writeSync(2, `${problem}\n`);
    void end(job.refused);
  };
  const request = (
    method: string,
    path: string,
    body?: unknown,
    more: { readonly wait?: "forever"; readonly type?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const bytes =
        body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body), "utf8");
      const headers =
        bytes === undefined
          ? {}
          : { "content-type": more.type ?? "application/json", "content-length": String(bytes.length) };
      const asked = http.request({ socketPath: job.socket, method, path, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(chunks).toString("utf8"),
            headers: answer.headers,
          }),
        );
      });
      if (more.wait === undefined)
        asked.setTimeout(job.times.request_ms, () =>
          asked.destroy(new Error(`no answer within ${job.times.request_ms} ms`)),
        );
      asked.on("error", reject);
      asked.end(bytes);
    });
  const on = (path: string): string => `/v${version}${path}`;
  const expect = (step: string, answer: Answer, ...wanted: readonly number[]): Answer => {
    if (wanted.includes(answer.status)) return answer;
    throw new Error(`${step} was answered ${answer.status}: ${message(answer.text)}`);
  };
  const number = (text: string): number => {
    const [major = "0", minor = "0"] = text.split(".");
    return Number(major) * 1_000 + Number(minor);
  };
  /**
   * Where a process's number means what it means here: this namespace of processes, since this start of the machine. Empty
   * where the system does not tell: then nothing is swept.
   */
  const place = (): string => {
    try {
      const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
      return `${fs.readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")}.${boot}`;
    } catch {
      return "";
    }
  };
  /** A process by number, the moment it began and the place of both; empty when it is gone. */
  const processMark = (pid: number): string => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
      return `${pid}.${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}.${place()}`;
    } catch {
      return "";
    }
  };

  async function negotiate(): Promise<void> {
    const pong = expect("the first question", await request("GET", "/_ping"), 200);
    const theirs = String(pong.headers["api-version"] ?? "");
    const [oldest, newest] = job.versions;
    if (!/^\d+\.\d+$/.test(theirs) || number(theirs) < number(oldest))
      throw new Error(`it speaks version ${theirs || "?"} of its interface; ${oldest} or newer is needed`);
    version = number(theirs) < number(newest) ? theirs : newest;
  }

  /** Containers of bridges of this place that are gone. */
  async function sweep(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [job.owner_label] }));
    const found = expect(
      "the list of containers",
      await request("GET", on(`/containers/json?all=1&filters=${filters}`)),
      200,
    );
    const list = JSON.parse(found.text) as readonly { readonly Id: string; readonly Labels: Record<string, string> }[];
    const here = place();
    for (const { Id, Labels } of list) {
      const owner = Labels[job.owner_label] ?? "";
      if (here === "" || !owner.endsWith(`.${here}`)) continue;
      if (owner !== processMark(Number(owner.split(".")[0])))
        expect("removal", await request("DELETE", on(`/containers/${Id}?force=1&v=1`)), 204, 404, 409);
    }
  }

  async function create(): Promise<void> {
    const labels = { [job.owner_label]: processMark(me.pid) };
    const ask = (): Promise<Answer> => {
      if (ending) throw new Error("it is ended before it was created");
      const asked = request("POST", on(`/containers/create?name=${job.name}`), { ...job.create, Labels: labels });
      creation = asked.catch(() => undefined);
      return asked;
    };
    let made = await ask();
    if (made.status === 404) {
      const { repository, tag, archive_base64 } = job.image;
      const archive = Buffer.from(archive_base64, "base64");
      const path = on(`/images/create?fromSrc=-&repo=${repository}&tag=${tag}`);
      const imported = expect(
        "the image",
        await request("POST", path, archive, { type: "application/octet-stream" }),
        200,
      );
      if (imported.text.includes('"error"')) throw new Error(`the image was refused: ${imported.text.slice(0, 200)}`);
      made = await ask();
    }
    const { Id } = JSON.parse(expect("creation", made, 201).text) as { readonly Id: unknown };
    if (typeof Id !== "string" || !/^[0-9a-f]{12,64}$/.test(Id)) throw new Error("the container has no id");
    container = Id;
  }

  function attach(): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const asked = http.request({
        socketPath: job.socket,
        method: "POST",
        path: on(`/containers/${container}/attach?stream=1&stdin=1&stdout=1&stderr=1`),
        headers: { connection: "Upgrade", upgrade: "tcp", "content-length": "0" },
        agent: false,
      });
      asked.setTimeout(job.times.request_ms, () => asked.destroy(new Error("no attachment in time")));
      asked.on("upgrade", (_answer, socket, head) => {
        socket.setTimeout(0);
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      asked.on("response", (answer) => {
        answer.resume();
        reject(new Error(`attachment was answered ${answer.statusCode ?? 0}`));
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  /** Streams of frames: kind (1 stdout, 2 stderr), three zeros, length (big-endian), bytes. */
  function pass(from: Duplex): Promise<void> {
    // Not as files: reading stdin may have made these nonblocking, and a file's writer gives up on a full pipe.
    const outputs = [me.stdout, me.stderr];
    for (const one of outputs) one.on("error", () => void end(me.exitCode ?? 0)); // nobody reads any more
    const head = Buffer.alloc(FRAME_HEAD);
    let had = 0;
    let left = 0;
    let to: NodeJS.WriteStream | undefined;
    const take = (chunk: Buffer): void => {
      for (let at = 0; at < chunk.length;) {
        if (left === 0) {
          const count = Math.min(FRAME_HEAD - had, chunk.length - at);
          chunk.copy(head, had, at, at + count);
          [had, at] = [had + count, at + count];
          if (had < FRAME_HEAD) return;
          had = 0;
          left = head.readUInt32BE(4);
          to = outputs[(head[0] ?? 0) - 1];
          if (to === undefined || head.readUIntBE(1, 3) !== 0)
            return refuse("the attached stream is not framed as agreed");
          continue;
        }
        const count = Math.min(left, chunk.length - at);
        const isRoom = to?.write(chunk.subarray(at, at + count));
        [left, at] = [left - count, at + count];
        if (isRoom === false) {
          from.pause();
          to?.once("drain", () => from.resume());
        }
      }
    };
    return new Promise((resolve) => {
      from.on("data", take);
      from.on("error", () => resolve());
      from.on("end", () => {
        let open = outputs.length;
        for (const one of outputs) one.end(() => (open -= 1) === 0 && resolve());
      });
      from.on("close", () => resolve());
    });
  }

  async function end(code: number | string): Promise<void> {
    if (ending) return;
    ending = true;
    setTimeout(() => me.exit(Number(code)), job.times.end_ms);
    if (version !== "") {
      try {
        // What is being created cannot be removed yet: the engine would know no such container, and then have one.
        await creation;
        // By name: it may have been created although no answer came.
        await request("DELETE", on(`/containers/${container || job.name}?force=1&v=1`));
      } catch {
        // Whoever comes next sweeps.
      }
    }
    attached?.destroy();
    me.exit(Number(code));
  }

  async function live(): Promise<void> {
    await negotiate();
    await sweep();
    await create();
    attached = await attach();
    const passed = pass(attached);
    const waited = request("POST", on(`/containers/${container}/wait?condition=next-exit`), undefined, {
      wait: "forever",
    });
    // Whatever becomes of it is heard below; until then nobody listens.
    waited.catch(() => undefined);
    expect("the start", await request("POST", on(`/containers/${container}/start`)), 204);
    me.stdin.pipe(attached);
    const over = expect("the wait", await waited, 200);
    const { StatusCode } = JSON.parse(over.text) as { readonly StatusCode: unknown };
    await passed;
    await end(typeof StatusCode === "number" ? StatusCode & 0xff : job.refused);
  }

  me.on("SIGTERM", () => void end(143));
  me.on("SIGINT", () => undefined);
  me.stdin.on("end", () => void end(143));
  me.stdin.on("error", () => void end(143));
  live().catch((cause: unknown) => {
    if (!ending) refuse(`Docker Engine at ${job.socket}: ${cause instanceof Error ? cause.message : String(cause)}`);
  });
}
