import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "tools/**/*.test.ts"],
    globalSetup: ["tools/vitest-global-setup.ts"],
    setupFiles: ["tools/vitest-witness.ts"],
    // Patience, also with a machine that is halted for half a minute; where a time is the claim, the test measures it.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    maxWorkers: 2,
  },
}) as object;
