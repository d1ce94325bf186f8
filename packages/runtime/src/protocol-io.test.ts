import { readFileSync } from "node:fs";
import { LIMITS } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import {
  answerChallenge,
  answerHello,
  encodeMessage,
  handshakeMac,
  MessageDecoder,
  verifyProof,
} from "./protocol-io.ts";
import type { RunnerMessage } from "./protocol.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../docs/formats/runner-protocol.v1.json", import.meta.url), "utf8"),
) as {
  key: string;
  runner_id: string;
  home_id: string;
  runner_nonce: string;
  control_nonce: string;
  control_mac: string;
  runner_mac: string;
  hello: Extract<RunnerMessage, { type: "hello" }>;
  frame: string;
};
const key = Buffer.from(golden.key, "hex");
const parts = {
  key,
  runner_nonce: golden.runner_nonce,
  control_nonce: golden.control_nonce,
  runner_id: golden.runner_id,
  home_id: golden.home_id,
};

describe("runner protocol on the wire", () => {
  it("equals the golden vectors: frame and both proofs", () => {
    expect(encodeMessage(golden.hello).toString("hex")).toBe(golden.frame);
    expect(handshakeMac("control", parts)).toBe(golden.control_mac);
    expect(handshakeMac("runner", parts)).toBe(golden.runner_mac);
  });
  it("a handshake agrees; a proof of one role, of another key or over another nonce never passes for the other's", () => {
    const challenge = answerHello(golden.hello, { key, home_id: golden.home_id, control_nonce: golden.control_nonce });
    if (!challenge.ok) throw new Error("answered");
    const proof = answerChallenge(challenge.value, {
      key,
      runner_id: golden.runner_id,
      runner_nonce: golden.runner_nonce,
    });
    expect(proof.ok && verifyProof(proof.value, parts).ok).toBe(true);
    expect(
      verifyProof({ type: "proof", mac: golden.control_mac }, parts).ok,
      "the control plane's own word, sent back",
    ).toBe(false);
    expect(verifyProof({ type: "proof", mac: golden.runner_mac }, { ...parts, key: new Uint8Array(32) }).ok).toBe(
      false,
    );
    expect(
      verifyProof({ type: "proof", mac: golden.runner_mac }, { ...parts, control_nonce: "00".repeat(32) }).ok,
    ).toBe(false);
    expect(
      answerChallenge(
        { ...challenge.value, mac: golden.runner_mac },
        { key, runner_id: golden.runner_id, runner_nonce: golden.runner_nonce },
      ).ok,
    ).toBe(false);
    expect(
      answerHello({ ...golden.hello, protocol: 2 }, { key, home_id: "h", control_nonce: golden.control_nonce }).ok,
    ).toBe(false);
  });
  const frameOf = (text: string): Buffer =>
    Buffer.concat([Buffer.from(new Uint32Array([Buffer.byteLength(text)]).buffer), Buffer.from(text)]);
  it("cuts any slicing of the stream into the same messages", () => {
    const two = Buffer.concat([encodeMessage(golden.hello), encodeMessage({ type: "proof", mac: golden.runner_mac })]);
    for (const size of [1, 2, 3, 5, 64, two.length]) {
      const decoder = MessageDecoder.forRunnerMessages();
      const seen: string[] = [];
      for (let at = 0; at < two.length; at += size) {
        const read = decoder.push(two.subarray(at, at + size));
        if (!read.ok) throw new Error("fits");
        seen.push(...read.value.map((message) => message.type));
      }
      expect(seen).toEqual(["hello", "proof"]);
    }
  });
  const refusals: readonly [name: string, bytes: Buffer][] = [
    ["a length beyond the limit", Buffer.from(new Uint32Array([LIMITS.runner_message_bytes + 1]).buffer)],
    ["no JSON", frameOf("{")],
    ["no type", frameOf("{}")],
    ["an unknown type", frameOf('{"type":"constructor"}')],
    ["an unknown field", frameOf('{"type":"proof","mac":"' + "0".repeat(64) + '","more":1}')],
    ["a missing field", frameOf('{"type":"proof"}')],
    ["another type of value", frameOf('{"type":"proof","mac":1}')],
    ["a message of the other side", frameOf('{"type":"welcome"}')],
  ];
  for (const [name, bytes] of refusals) {
    it(`refuses ${name}, and everything after it`, () => {
      const decoder = MessageDecoder.forRunnerMessages();
      expect(decoder.push(bytes)).toMatchObject({ ok: false, error: { code: "RUMI-STR-030" } });
      expect(decoder.push(encodeMessage(golden.hello)).ok).toBe(false);
    });
  }
  it("[M-10.2] the apply point of a configuration is one of three words, or absent", () => {
    const config = {
      type: "config",
      request: 1,
      run_id: "0197a000-0000-7000-8000-0000000000aa",
      epoch: 1,
      config: {},
      generation: 2,
      actor: "root",
    };
    const take = (more: object): boolean =>
      MessageDecoder.forControlMessages().push(frameOf(JSON.stringify({ ...config, ...more }))).ok;
    expect([
      take({}),
      take({ at: "next_tick" }),
      take({ at: "next_bar" }),
      take({ at: "next_checkpoint" }),
      take({ at: "later" }),
      take({ at: null }),
    ]).toEqual([true, true, true, true, false, false]);
  });
});
