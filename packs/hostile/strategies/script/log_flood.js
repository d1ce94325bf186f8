// Hostile fixture: sixty log lines in each event.
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2);
  const out = new Uint32Array(memory, outputAt, 16_384);
  const bytes = new Uint8Array(memory);
  return () => {
    if (head[0] === 6) return out.set([20, 24, 1, 8, 0, 0]), 24;
    if (head[0] !== 2) return 0;
    let at = 0;
    for (let line = 0; line < 60; line += 1) {
      out.set([19, 1_016, 1, 1_000], at / 4);
      bytes.fill(120, outputAt + at + 16, outputAt + at + 1_016);
      at += 1_016;
    }
    return at;
  };
};
