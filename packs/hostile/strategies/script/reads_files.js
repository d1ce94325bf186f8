// Hostile fixture: looks for a way to read a file; throws when it finds one.
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2);
  const out = new Uint32Array(memory, outputAt, 16_384);
  const bytes = new Uint8Array(memory);
  return () => {
    if (head[0] === 6) return out.set([20, 24, 1, 8, 0, 0]), 24;
    if (head[0] !== 2) return 0;
    for (const name of ["process", "require", "module", "fetch", "XMLHttpRequest", "Deno", "Bun", "std", "os", "scriptArgs", "load", "read"])
      if (typeof globalThis[name] !== "undefined") throw new Error(`found ${name}`);
    import("node:fs").then((fs) => fs.readFileSync("/etc/passwd"));
    return 0;
  };
};
