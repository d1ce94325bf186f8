/** Codes of the category PACK that are about a pack's own HTTP routes. */
import type { ErrorTable } from "./entry.ts";

type PackRouteCode = "RUMI-PACK-030" | "RUMI-PACK-031" | "RUMI-PACK-032";

export const PACK_ROUTE_ERRORS: ErrorTable<PackRouteCode> = {
  "RUMI-PACK-030": {
    key: "pack.routes_invalid",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "routes.json of the pack {pack_id} is not acceptable: {field}: {problem}.",
      next: "Correct {field} and approve the pack again; docs/routes.md shows the file's form.",
    },
    ja: {
      text: "パック {pack_id} の routes.json が不正です: {field}: {problem}。",
      next: "{field} を直して Pack を再承認してください。形式は docs/routes.md にあります。",
    },
  },
  "RUMI-PACK-031": {
    key: "pack.route_of_foreign_flow",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The route {method} {path} of the pack {pack_id} may not run {flow_id}: that flow is not the pack's own.",
      next: "A route runs a flow that its own pack brings: put one into the pack's flows/ and name it.",
    },
    ja: {
      text: "パック {pack_id} のルート {method} {path} は {flow_id} を実行できません: その Flow は Pack 自身のものではありません。",
      next: "ルートが実行できるのは Pack 自身の flows/ にある Flow だけです。",
    },
  },
  "RUMI-PACK-032": {
    key: "pack.route_taken",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The route {method} {path} of the pack {pack_id} is not served: {owner} has that path.",
      next: "Give it another path, best one that begins with the pack's name.",
    },
    ja: {
      text: "パック {pack_id} のルート {method} {path} は提供されません: そのパスは {owner} が使っています。",
      next: "Pack 名で始まるパスなど、別のパスにしてください。",
    },
  },
};
