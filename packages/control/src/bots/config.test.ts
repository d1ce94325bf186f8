import type { StrategyDescriptor } from "@rumi/abi";
import { expect, it } from "vitest";
import { judgeConfig } from "./model.ts";

type Schema = Pick<StrategyDescriptor, "config_schema">;
const most = (maximum: number): Schema => ({ config_schema: { size: { type: "integer", required: true, maximum } } });

it("[M-2.1.4] a judged configuration is judged anew by every other schema, and cannot be changed behind the judgement", () => {
  const ten = most(10);
  const judged = judgeConfig(ten, { size: 7 });
  if (!judged.ok) return expect.fail(judged.error.code);
  expect(judgeConfig(ten, judged.value)).toEqual(judged);
  expect(judgeConfig(most(10), judged.value)).toEqual(judged);
  expect(judgeConfig(most(5), judged.value)).toMatchObject({ ok: false, error: { code: "RUMI-BOT-004" } });
  expect(judgeConfig(ten, { ...judged.value, size: 11 })).toMatchObject({ ok: false, error: { code: "RUMI-BOT-004" } });
  expect(() => Object.assign(judged.value, { size: 11 })).toThrow(TypeError);
  return undefined;
});
