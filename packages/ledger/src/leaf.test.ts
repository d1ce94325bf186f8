import { LIMITS, micros, seededRandom, type Uuid } from "@rumi/kernel";
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { codeOf, eventOf, must, sampleEvent } from "../test/support.ts";
import { hmacHex } from "./hashing.ts";
import { openLeaf, parseLeaf, parsePayload, payloadText, prepareLeaf, reopenLeaf } from "./leaf.ts";

const salt = seededRandom("salt").bytes(32);

describe("log leaf v1", () => {
  it("[L-26] opens with its own salt and payload, and with nothing else", () => {
    const event = sampleEvent(4);
    const { leaf, payload } = must(prepareLeaf(event, salt));
    expect(must(openLeaf(leaf, salt, payload)).event).toEqual(event);
    expect(codeOf(openLeaf(leaf, seededRandom("other").bytes(32), payload))).toBe("RUMI-LOG-004");
    expect(codeOf(openLeaf(leaf, salt, payload.replace("200", "201")))).toBe("RUMI-LOG-004");
    expect(codeOf(openLeaf(leaf, salt.subarray(1), payload))).toBe("RUMI-LOG-004");
  });

  it("[L-26] a leaf whose public fields tell another story than its payload is refused, whatever the commitment", () => {
    const { leaf, payload } = must(prepareLeaf(sampleEvent(4), salt));
    const forged = Buffer.from(leaf).toString().replace("user:root", "user:mark");
    expect(codeOf(openLeaf(Buffer.from(forged), salt, payload))).toBe("RUMI-LOG-005");
    const other = payload.replace('"schema_version":1', '"schema_version":2');
    const relabelled = Buffer.from(leaf)
      .toString()
      .replace(/"commitment":"[0-9a-f]+"/, `"commitment":"${hmacHex(salt, other)}"`);
    expect(codeOf(openLeaf(Buffer.from(relabelled), salt, other))).toBe("RUMI-LOG-005");
  });

  it("[L-26] made again from its payload a leaf says what opening it says, and nothing once any of the three was touched", () => {
    for (const event of [sampleEvent(4), { ...sampleEvent(5), resource_id: 'ボット "一" \\ \n' }]) {
      const { leaf, payload } = must(prepareLeaf(event, salt));
      expect(reopenLeaf(leaf, salt, payload)).toEqual(must(openLeaf(leaf, salt, payload)));
      for (let at = 0; at < leaf.length; at += 1) {
        const bent = Uint8Array.from(leaf);
        bent[at] = (bent[at] ?? 0) ^ 1;
        expect(reopenLeaf(bent, salt, payload), `byte ${at}`).toBeUndefined();
      }
      for (const other of [leaf.subarray(1), leaf.subarray(0, -1), Buffer.concat([leaf, Buffer.from("\n")])])
        expect(reopenLeaf(other, salt, payload)).toBeUndefined();
      expect(reopenLeaf(leaf, salt.with(31, 0), payload)).toBeUndefined();
      expect(reopenLeaf(leaf, salt.subarray(1), payload)).toBeUndefined();
      expect(reopenLeaf(leaf, salt, payload.replace("SUCCESS", "FAILURE"))).toBeUndefined();
    }
    const nameless = { ...sampleEvent(4), event_id: "4" as Uuid };
    const made = must(prepareLeaf(nameless, salt));
    expect(reopenLeaf(made.leaf, salt, made.payload)).toBeUndefined();
    expect(codeOf(openLeaf(made.leaf, salt, made.payload))).toBe("RUMI-LOG-003");
  });

  it("the commitment is HMAC-SHA-256 as everyone computes it, also for long and non-ASCII texts", () => {
    for (const text of ["", "a", "日本語のペイロード".repeat(900), "x".repeat(20_000)]) {
      expect(hmacHex(salt, text)).toBe(createHmac("sha256", salt).update(text).digest("hex"));
    }
  });

  it("only the canonical bytes are a leaf", () => {
    const text = Buffer.from(must(prepareLeaf(sampleEvent(1), salt)).leaf).toString();
    expect(parseLeaf(Buffer.from(text)).ok).toBe(true);
    const spaced = text.replace(",", ", ");
    const extra = text.replace("{", '{"aa":1,');
    for (const bad of [
      spaced,
      extra,
      `${text}\n`,
      text.replace('"version":1', '"version":2'),
      "{}",
      "[]",
      "",
      "null",
      text.replace('Z"', '"'),
    ]) {
      expect(codeOf(parseLeaf(Buffer.from(bad))), bad).toBe("RUMI-LOG-003");
    }
    expect(codeOf(parseLeaf(Buffer.of(0xff, 0xfe)))).toBe("RUMI-LOG-003");
  });

  it("payloads are closed: unknown fields, missing fields and wrong types are refused", () => {
    const payload = payloadText(sampleEvent(1));
    for (const bad of [
      payload.replace("{", '{"aa":1,'),
      payload.replace('"outcome":"SUCCESS",', ""),
      payload.replace("SUCCESS", "MAYBE"),
      payload.replace("user:root", 'user:root","actor2":"x'),
      "{",
    ]) {
      expect(codeOf(parsePayload(bad)), bad).toBe("RUMI-LOG-005");
    }
  });

  it("the limits are reached: payload of 262,144 bytes, leaf of 65,535 bytes", () => {
    const parts = Array.from({ length: 100 }, () => ({ x: "y".repeat(4_000) }));
    const huge = eventOf(1, "controlplane.command.denied", { failures: parts });
    expect(codeOf(prepareLeaf(huge, salt))).toBe("RUMI-LOG-002");
    expect(LIMITS.event_payload_bytes).toBe(262_144);
    const long = { ...sampleEvent(1), resource_id: "r".repeat(LIMITS.log_leaf_bytes) };
    expect(codeOf(prepareLeaf(long, salt))).toBe("RUMI-LOG-001");
  });

  it("what is no event of ours stops the program", () => {
    const event = sampleEvent(1);
    expect(() => prepareLeaf({ ...event, action: "bot.invented" }, salt)).toThrow(/invariant.*catalogue/);
    expect(() => prepareLeaf({ ...event, details: { ...event.details, surprise: 1 } }, salt)).toThrow(
      /surprise is not known/,
    );
    expect(() => prepareLeaf({ ...event, actor: "root" }, salt)).toThrow(/actor/);
    expect(() => prepareLeaf(event, salt.subarray(1))).toThrow(RangeError);
    expect(() => prepareLeaf({ ...event, occurred_at: micros(0) }, salt)).not.toThrow();
  });
});
