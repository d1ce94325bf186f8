// Hostile fixture: looks for a thread, a process or another program; throws when it finds one.
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2);
  const out = new Uint32Array(memory, outputAt, 16_384);
  const bytes = new Uint8Array(memory);
  return () => {
    if (head[0] === 6) return out.set([20, 24, 1, 8, 0, 0]), 24;
    if (head[0] !== 2) return 0;
    const reach = (function () {}).constructor("return this")();
    for (const name of ["Worker", "SharedWorker", "child_process", "std", "os", "Atomics_wait"])
      if (typeof reach[name] !== "undefined") throw new Error(`found ${name}`);
    import("node:child_process").then((all) => all.fork("x"));
    return 0;
  };
};
