import { expect, it } from "vitest";
import { tellsRunOnly } from "./events.ts";

it("[R-14.1] a run's wish, its end and its outcome ask nothing of those who make things true; whatever else is said does", () => {
  const tells = (action: string, details = {}): boolean => tellsRunOnly({ action, details });
  expect(tells("flow.executed", { flow_id: "three" })).toBe(true);
  expect(tells("controlplane.command.requested", { operation: "flows.run" })).toBe(true);
  expect(tells("controlplane.command.applied", { operation: "flows.run" })).toBe(true);

  expect(tells("controlplane.command.requested", { operation: "flows.stop" })).toBe(false);
  expect(tells("controlplane.command.applied", { operation: "bots.create" })).toBe(false);
  expect(tells("controlplane.command.denied", { operation: "flows.run" })).toBe(false);
  expect(tells("training.controlplane.command.requested", { operation: "flows.run" })).toBe(false);
  expect(tells("flow.approval.decided")).toBe(false);
  expect(tells("pack.approved")).toBe(false);
});
