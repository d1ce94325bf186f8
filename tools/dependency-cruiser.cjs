/** Rules for dependency-cruiser, made from the package graph. Run through `npm run boundaries`. */
const graph = JSON.parse(process.env.RUMI_PACKAGE_GRAPH);

const layerRules = Object.entries(graph).map(([name, allowed]) => ({
  name: `${name}-imports-only-its-own-layer`,
  severity: "error",
  from: { path: `^packages/${name}/src/`, pathNot: "\\.test\\.ts$" },
  to: {
    path: "^packages/",
    pathNot: [`^packages/${name}/`, ...allowed.map((other) => `^packages/${other}/src/index\\.ts$`)],
  },
}));

/** Tests keep to the layers as well, but may borrow the test support of a layer they may import. */
const testRules = Object.entries(graph).map(([name, allowed]) => ({
  name: `tests-of-${name}-import-only-its-own-layer`,
  severity: "error",
  from: { path: `^packages/${name}/src/.*\\.test\\.ts$` },
  to: {
    path: "^packages/",
    pathNot: [
      `^packages/${name}/`,
      ...allowed.flatMap((other) => [
        `^packages/${other}/src/index\\.ts$`,
        `^packages/${other}/src/testing\\.ts$`,
        `^packages/${other}/test/`,
      ]),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...testRules,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-undeclared-packages",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: "\\.(test|bench)\\.tsx?$" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-test-code-in-production",
      severity: "error",
      from: {
        path: "^packages/[^/]+/src/",
        pathNot: "\\.(test|bench)\\.tsx?$|/conformance\\.ts$|/test-support",
      },
      to: { path: "\\.test\\.ts$|^tools/test-support|/vitest/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // The parser cannot read JSX; tools/boundaries.mjs checks the console itself.
    exclude: { path: "(^|/)(dist|target)/|^packages/console/" },
    parser: "swc",
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".json"],
    },
  },
};
