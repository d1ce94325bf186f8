import { describe, expect, it } from "vitest";
import { assembleFilter, type FilterOptions } from "./filter.ts";
import { CONNECT_CALLS, JUDGED_CALLS, PRELUDE_CALLS, STRATEGY_CALLS } from "./system-calls.ts";

/** Runs the filter as the kernel would: the verdict on one call. */
function judge(
  options: FilterOptions,
  call: { readonly number: number; readonly architecture?: number; readonly arguments?: readonly [number, number] },
): string {
  const program = new DataView(assembleFilter(options).buffer);
  const native = options.processor === "x86_64" ? 0xc000_003e : 0xc000_00b7;
  const words = new Map([
    [0, call.number],
    [4, call.architecture ?? native],
    [16, call.arguments?.[0] ?? 0],
    [24, call.arguments?.[1] ?? 0],
  ]);
  let accumulator = 0;
  for (let at = 0; at < program.byteLength / 8; at += 1) {
    const code = program.getUint16(at * 8, true);
    const operand = program.getUint32(at * 8 + 4, true);
    const jump = (taken: boolean): number => program.getUint8(at * 8 + (taken ? 2 : 3));
    if (code === 0x20) accumulator = words.get(operand) ?? 0;
    else if (code === 0x15) at += jump(accumulator === operand);
    else if (code === 0x35) at += jump(accumulator >= operand);
    else if (code === 0x45) at += jump((accumulator & operand) !== 0);
    else if (code === 0x06)
      return (
        new Map([
          [0x7fff_0000, "allow"],
          [0x8000_0000, "kill"],
          [0x0005_0001, "EPERM"],
          [0x0005_0026, "ENOSYS"],
        ]).get(operand) ?? `${operand}`
      );
    else throw new Error(`instruction ${code}`);
  }
  throw new Error("ran over the end");
}

describe.each(["x86_64", "aarch64"] as const)("system call filter for %s", (processor) => {
  const column = processor === "x86_64" ? 0 : 1;
  const strategy: FilterOptions = { processor, stage: "strategy", threads: 1 };

  it("[M-5.2.3] kills foreign numberings and refuses what is not listed", () => {
    expect(judge(strategy, { number: 0, architecture: 0x4000_0003 })).toBe("kill");
    if (processor === "x86_64") expect(judge(strategy, { number: 0x4000_0000 })).toBe("kill");
    // socket, connect, fork or its like, ptrace, kill, tgkill, unshare, mount, bpf, io_uring_setup, process_vm_readv, memfd_create
    const refused =
      processor === "x86_64"
        ? [41, 42, 57, 58, 101, 62, 234, 272, 165, 321, 425, 310, 319, 59, 322, 157, 302]
        : [198, 203, 117, 129, 131, 97, 40, 280, 425, 270, 279, 221, 281, 167, 261];
    for (const number of refused) expect([number, judge(strategy, { number })]).toEqual([number, "EPERM"]);
  });

  it("allows what is listed, and exec and limits only before the strategy", () => {
    for (const numbers of Object.values(STRATEGY_CALLS))
      if (numbers[column] !== null) expect(judge(strategy, { number: numbers[column] })).toBe("allow");
    for (const numbers of Object.values(PRELUDE_CALLS)) {
      if (numbers[column] === null) continue;
      expect(judge({ ...strategy, stage: "prelude" }, { number: numbers[column] })).toBe("allow");
      expect(judge(strategy, { number: numbers[column] })).toBe("EPERM");
    }
  });

  it("[M-5.2.2] clone makes threads at most, and none when one is declared", () => {
    const clone = (threads: number, flags: number): string =>
      judge({ ...strategy, threads }, { number: JUDGED_CALLS.clone[column], arguments: [flags, 0] });
    expect([clone(1, 0x1_0000), clone(2, 0x1_0000), clone(2, 17), clone(1, 17)]).toEqual([
      "EPERM",
      "allow",
      "EPERM",
      "EPERM",
    ]);
    expect(judge({ ...strategy, threads: 2 }, { number: JUDGED_CALLS.clone3[column] })).toBe("ENOSYS");
  });

  it("[R-16.1] a prelude with sockets opens Unix ones only; a running strategy none", () => {
    const [socket, connect] = [JUDGED_CALLS.socket[column], CONNECT_CALLS["connect"]?.[column] ?? 0];
    const family = (options: FilterOptions, of: number): string =>
      judge(options, { number: socket, arguments: [of, 0] });
    const prelude: FilterOptions = { ...strategy, stage: "prelude", sockets: "unix" };
    // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK
    const families = [1, 2, 10, 16, 40];
    expect(families.map((of) => family(prelude, of))).toEqual(["allow", "EPERM", "EPERM", "EPERM", "EPERM"]);
    expect(judge(prelude, { number: connect })).toBe("allow");
    for (const without of [
      { ...prelude, sockets: "none" as const },
      { ...prelude, stage: "strategy" as const },
    ])
      expect([family(without, 1), judge(without, { number: connect })]).toEqual(["EPERM", "EPERM"]);
  });

  it("ioctl knows four codes", () => {
    const ioctl = (code: number): string =>
      judge(strategy, { number: JUDGED_CALLS.ioctl[column], arguments: [0, code] });
    expect([ioctl(0x5401), ioctl(0x5451), ioctl(0x5412)]).toEqual(["allow", "allow", "EPERM"]);
  });
});
