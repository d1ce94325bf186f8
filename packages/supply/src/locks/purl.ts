/** Package URLs of components, and names as each ecosystem compares them. */
import { PackageURL } from "packageurl-js";
import type { Ecosystem } from "./component.ts";

const TYPES: Readonly<Record<Ecosystem, string>> = { npm: "npm", PyPI: "pypi", "crates.io": "cargo" };

/** `version` may be empty: a workspace member need not have one. */
export function purlOf(ecosystem: Ecosystem, name: string, version: string): string {
  const slash = ecosystem === "npm" ? name.indexOf("/") : -1;
  const scope = slash === -1 ? undefined : name.slice(0, slash);
  const bare = name.slice(slash + 1);
  return new PackageURL(TYPES[ecosystem], scope, bare, version === "" ? undefined : version).toString();
}

/** PEP 503: case, and which of `-`, `_`, `.` separates, do not matter. */
export const pypiName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");
