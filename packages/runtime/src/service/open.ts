/** The services of one instance as its lane opens them: contracts judged, a jailed process behind each. */
import { existsSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { InstanceSpec } from "../protocol.ts";
import type { PythonHome } from "../strategy/process.ts";
import { JailedService, type ServicePack } from "./jailed-adapter.ts";
import { judgeServices, ServicePort } from "./port.ts";

/** `null` where the instance has none. RUMI-STR-027 names the contract that is not sound. */
export function openServices(
  { services, isolation, ...pack }: Pick<InstanceSpec, "services" | "isolation"> & ServicePack,
  home: PythonHome | null,
): Result<ServicePort | null, Failure> {
  if (services === undefined || services.length === 0) return ok(null);
  const judged = judgeServices(services);
  if (!judged.ok) return judged;
  const outside = services.find(({ entrypoint }) => !isInside(pack.pack_dir, entrypoint));
  if (outside !== undefined || home === null) {
    const problem = home === null ? "this place hosts no Python" : "its file is not in the pack";
    return err(
      failure(
        "RUMI-STR-027",
        { field: `services.${outside?.name ?? ""}`, problem },
        { reasonCode: "M.SERVICE.CONTRACT" },
      ),
    );
  }
  return ok(new ServicePort(services, (spec) => new JailedService(spec, pack, home, isolation)));
}

function isInside(pack_dir: string, entrypoint: string): boolean {
  const path = join(pack_dir, entrypoint);
  return existsSync(path) && realpathSync(path).startsWith(realpathSync(pack_dir) + sep);
}
