/** Rules for dependency-cruiser, made from the package graph. Run through `npm run boundaries`. */
const graph = JSON.parse(process.env.RUMI_PACKAGE_GRAPH);

const layerRules = Object.entries(graph).map(([name, allowed]) => ({
  name: `${name}-imports-only-its-own-layer`,
  severity: "error",
  from: { path: `^packages/${name}/src/` },
  to: {
    path: "^packages/",
    pathNot: [`^packages/${name}/`, ...allowed.map((other) => `^packages/${other}/src/index\\.ts$`)],
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
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
    exclude: { path: "(^|/)(dist|target)/" },
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
