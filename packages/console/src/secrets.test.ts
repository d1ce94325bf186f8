import { describe, expect, it } from "vitest";
import { isSecretField } from "./secrets.ts";

describe("secret fields", () => {
  it.each([
    "api_key",
    "apiKey",
    "API_KEY",
    "webhook_token",
    "password",
    "db_passwd",
    "client_secret",
    "signing_key",
    "seed",
  ])("%s is hidden whatever its declaration says", (name) => {
    expect(isSecretField(name, undefined)).toBe(true);
    expect(isSecretField(name, { secret: false })).toBe(true);
  });
  it("a harmless name is hidden when it is declared secret", () => {
    expect(isSecretField("endpoint", { secret: true })).toBe(true);
  });
  it.each(["fast_trades", "order_quantity", "keyframes", "monkey"])("%s is shown", (name) => {
    expect(isSecretField(name, undefined)).toBe(false);
  });
});
