/** Acts on the host that a pack may be allowed by name. They have nothing to do with capability grants. Pure. */
import type { EventDraft } from "@rumi/operations";

export const PRIVILEGES = {
  "pack.update": "Pack の更新適用を許可",
  "system.restart": "システムの再起動を許可",
  "system.diagnostics": "システム診断情報の取得を許可",
} as const;
export type PrivilegeId = keyof typeof PRIVILEGES;
export const PRIVILEGE_IDS = Object.keys(PRIVILEGES) as readonly PrivilegeId[];

export type PrivilegeGrant = {
  readonly pack_id: string;
  readonly privilege_id: string;
  readonly granted_by: string;
  readonly granted_at: number;
};

export function parsePrivilege(text: string): PrivilegeId | undefined {
  return PRIVILEGE_IDS.find((one) => one === text);
}

export function privilegeEvent(
  action: "permission.granted" | "permission.revoked" | "privilege.executed",
  { pack_id, privilege_id }: Pick<PrivilegeGrant, "pack_id" | "privilege_id">,
): EventDraft {
  return {
    action,
    resource_type: "privilege",
    resource_id: `${pack_id}:${privilege_id}`,
    outcome: "SUCCESS",
    details: {
      permission_type: "privilege",
      permission_id: privilege_id,
      principal_id: pack_id,
      owner_pack: pack_id,
    },
  };
}
