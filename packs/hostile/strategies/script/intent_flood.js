// Hostile fixture: a hundred orders in each event, none of them complete.
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2);
  const out = new Uint32Array(memory, outputAt, 16_384);
  const bytes = new Uint8Array(memory);
  return () => {
    if (head[0] === 6) return out.set([20, 24, 1, 8, 0, 0]), 24;
    if (head[0] !== 2) return 0;
    out.fill(0);
    for (let order = 0; order < 100; order += 1) {
      out.set([1, 112], order * 28);
      out[order * 28 + 23] = 0x00_01_01_01;
    }
    return 11_200;
  };
};
