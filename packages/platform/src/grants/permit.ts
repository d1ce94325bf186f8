/** Asked before every use of a permission: what is left of it for this principal now, or why it may not. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader, Store } from "@rumi/store";
import { readApproval } from "../packs/tables.ts";
import { effectiveGrant, lineOf, packOfPrincipal } from "./model.ts";
import type { GrantConfig } from "./permissions.ts";
import { readGrant } from "./tables.ts";

/** The config that counts; RUMI-PACK-006 while the pack is not approved, RUMI-CAP-010 without a grant of the whole line. */
export async function permit(
  reader: Reader,
  sql: Pick<Store, "builder">,
  of: { readonly principal_id: string; readonly permission_id: string },
): Promise<Result<GrantConfig, Failure>> {
  const { principal_id, permission_id } = of;
  const pack_id = packOfPrincipal(principal_id);
  const state = (await readApproval(reader, sql, pack_id))?.state ?? "not installed";
  if (state !== "approved") return err(failure("RUMI-PACK-006", { pack_id, state }));
  const configs = new Map<string, GrantConfig>();
  for (const one of lineOf(principal_id)) {
    const grant = await readGrant(reader, sql, one, permission_id);
    if (grant !== undefined) configs.set(one, grant.config);
  }
  const effective = effectiveGrant(principal_id, (one) => configs.get(one));
  return effective.held
    ? ok(effective.config)
    : err(failure("RUMI-CAP-010", { principal_id, permission_id, missing: effective.missing }));
}
