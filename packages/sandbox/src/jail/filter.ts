/**
 * Assembles the kernel's system call filter (seccomp, classic BPF) without any dependency.
 *
 * Order of judgement: wrong processor → kill; x32 numbers → kill; clone3 → ENOSYS (so that libc falls back to clone,
 * whose flags can be read); clone → only threads, or nothing; ioctl → four harmless codes; socket → Unix only, in the
 * prelude of a jail that has some to connect to; listed → allow; rest → EPERM.
 */
import { invariant } from "@rumi/kernel";
import { SANDBOX_LIMITS } from "../limits.ts";
import { AF_UNIX, CONNECT_CALLS, JUDGED_CALLS, PRELUDE_CALLS, STRATEGY_CALLS } from "./system-calls.ts";

export type Processor = "x86_64" | "aarch64";
/** `prelude`: before the runner has confined itself; `strategy`: from then on, no exec and no limits to change. */
export type FilterStage = "prelude" | "strategy";
export type FilterOptions = {
  readonly processor: Processor;
  readonly stage: FilterStage;
  readonly threads: number;
  /** Whether the prelude has Unix sockets to connect to; the stage `strategy` never has. */
  readonly sockets?: "unix" | "none";
};

const AUDIT_ARCH: Readonly<Record<Processor, number>> = { x86_64: 0xc000_003e, aarch64: 0xc000_00b7 };
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;
const OFFSET = { number: 0, processor: 4, argument0: 16, argument1: 24 } as const;
export const CLONE_THREAD = 0x0001_0000;
/** TCGETS, TIOCGWINSZ, FIONBIO, FIOCLEX. */
export const IOCTLS: readonly number[] = [0x5401, 0x5413, 0x5421, 0x5451];

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

/** This machine's processor, or undefined where no table exists. */
export function processorOf(architecture: string): Processor | undefined {
  if (architecture === "x64") return "x86_64";
  return architecture === "arm64" ? "aarch64" : undefined;
}

export function assembleFilter({ processor, stage, threads, sockets = "none" }: FilterOptions): Uint8Array {
  const column = processor === "x86_64" ? 0 : 1;
  const program: Instruction[] = [
    [LOAD, 0, 0, OFFSET.processor],
    [EQUAL, 1, 0, AUDIT_ARCH[processor]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, OFFSET.number],
  ];
  if (processor === "x86_64") program.push([AT_LEAST, 0, 1, 0x4000_0000], [RETURN, 0, 0, KILL_PROCESS]);
  program.push([EQUAL, 0, 1, JUDGED_CALLS.clone3[column]], [RETURN, 0, 0, ENOSYS]);
  const mayClone: Instruction[] =
    threads > 1
      ? [
          [LOAD, 0, 0, OFFSET.argument0],
          [ANY_BIT, 0, 1, CLONE_THREAD],
          [RETURN, 0, 0, ALLOW],
        ]
      : [];
  judged(program, JUDGED_CALLS.clone[column], [...mayClone, [RETURN, 0, 0, EPERM]]);
  const codes = IOCTLS.flatMap((code): Instruction[] => [
    [EQUAL, 0, 1, code],
    [RETURN, 0, 0, ALLOW],
  ]);
  judged(program, JUDGED_CALLS.ioctl[column], [[LOAD, 0, 0, OFFSET.argument1], ...codes, [RETURN, 0, 0, EPERM]]);
  const connects = stage === "prelude" && sockets === "unix";
  if (connects)
    judged(program, JUDGED_CALLS.socket[column], [
      [LOAD, 0, 0, OFFSET.argument0],
      [EQUAL, 0, 1, AF_UNIX],
      [RETURN, 0, 0, ALLOW],
      [RETURN, 0, 0, EPERM],
    ]);
  const tables = [
    STRATEGY_CALLS,
    ...(stage === "prelude" ? [PRELUDE_CALLS] : []),
    ...(connects ? [CONNECT_CALLS] : []),
  ];
  for (const table of tables) {
    for (const numbers of Object.values(table)) {
      const number = numbers[column];
      if (number !== null) program.push([EQUAL, 0, 1, number], [RETURN, 0, 0, ALLOW]);
    }
  }
  program.push([RETURN, 0, 0, EPERM]);
  invariant(program.length <= SANDBOX_LIMITS.bpf_instructions, "the filter fits the kernel's limit");
  return encode(program);
}

/** `number` runs `body`, which ends in a return; any other number jumps over it. */
function judged(program: Instruction[], number: number, body: readonly Instruction[]): void {
  program.push([EQUAL, 0, body.length, number], ...body);
}

function encode(program: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(([code, jumpTrue, jumpFalse, operand], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jumpTrue);
    view.setUint8(i * 8 + 3, jumpFalse);
    view.setUint32(i * 8 + 4, operand, true);
  });
  return new Uint8Array(view.buffer);
}
