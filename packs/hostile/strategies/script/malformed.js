// Hostile fixture: a record of a kind that there is not.
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2);
  const out = new Uint32Array(memory, outputAt, 16_384);
  const bytes = new Uint8Array(memory);
  return () => {
    if (head[0] === 6) return out.set([20, 24, 1, 8, 0, 0]), 24;
    if (head[0] !== 2) return 0;
    out.set([999, 16, 0, 0]);
    return 16;
  };
};
