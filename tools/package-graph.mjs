/** Who may import whom: the package graph as data. The boundary check and ARCHITECTURE.md both quote it. */
export const PACKAGE_GRAPH = {
  kernel: [],
  ledger: ["kernel"],
  store: ["kernel", "ledger"],
  operations: ["kernel", "ledger", "store"],
  sandbox: ["kernel"],
  abi: ["kernel"],
  venues: ["kernel", "abi"],
  runtime: ["kernel", "abi", "sandbox", "venues", "ledger"],
  control: ["kernel", "ledger", "store", "operations", "abi", "venues", "runtime", "platform"],
  platform: ["kernel", "ledger", "store", "operations", "abi", "sandbox"],
  server: ["kernel", "ledger", "store", "operations"],
  console: [],
  rumi: ["kernel", "ledger", "store", "operations", "sandbox", "abi", "runtime", "venues", "control", "platform", "server"],
};
