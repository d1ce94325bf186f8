/**
 * A folder with a runner's program in it, for a file of tests: control sides and runner processes in pairs, ended after
 * each test, and the folder gone after the last.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import type { InstanceSpec } from "../src/protocol.ts";
import { bundleRunner, TestControl } from "./control.ts";
import { recording, spec } from "./support.ts";

type Start = Awaited<ReturnType<typeof bundleRunner>>;
type How = Parameters<Start> extends [string, ...infer Rest] ? Rest : never;
export type RecordedFile = InstanceSpec["venue"]["files"][number];
export type Pair = { readonly control: TestControl; readonly child: ChildProcess };

export class RunnerRoom {
  readonly path: string;
  #start: Start | undefined;
  #file: RecordedFile | undefined;
  readonly #controls = new Set<TestControl>();
  readonly #children: ChildProcess[] = [];
  #count = 0;

  /** `hook`: code that runs in every lane besides the real one. Registers what begins and ends with the tests. */
  constructor(options: { readonly rows: number; readonly hook?: (path: string) => string }) {
    const folder = temporaryFolder();
    this.path = folder.path;
    beforeAll(async () => {
      this.#start = await bundleRunner(this.path, options.hook?.(this.path));
      this.#file = recording(this.path, options.rows);
    });
    afterEach(async () => {
      for (const child of this.#children.splice(0)) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      for (const control of this.#controls) await control.close();
      this.#controls.clear();
    });
    afterAll(() => folder.remove());
  }

  /** Another number each time. */
  next(): number {
    return (this.#count += 1);
  }

  /** A runner that dials `control`; both are ended after the test. */
  begin(control: TestControl, ...how: How): ChildProcess {
    if (this.#start === undefined) throw new Error("a runner begins within a test");
    const child = this.#start(control.path, ...how);
    this.#controls.add(control);
    this.#children.push(child);
    return child;
  }

  control(key?: Uint8Array): TestControl {
    return new TestControl(join(this.path, `s${this.next()}`), key);
  }

  /** A runner that has said what it runs: nothing. */
  async pair(...how: How): Promise<Pair> {
    const control = this.control();
    const child = this.begin(control, ...how);
    await control.until(() => control.seen.some(({ type }) => type === "instances"), 120_000);
    return { control, child };
  }

  get file(): RecordedFile {
    if (this.#file === undefined) throw new Error("the recording is made before the first test");
    return this.#file;
  }

  /** An instance over the room's recording, in a run folder of its own; `factor`: times the recording's pace. */
  spec(factor?: number): InstanceSpec {
    const base = spec(join(this.path, `run-${this.next()}`));
    const pace = factor === undefined ? {} : { pace: { kind: "multiple" as const, factor } };
    return { ...base, venue: { ...base.venue, files: [this.file], ...pace } };
  }
}
