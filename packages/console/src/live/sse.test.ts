import { describe, expect, it } from "vitest";
import { sseBlocks, sseEvent } from "./sse.ts";

describe("the event stream", () => {
  it("reads what the server writes", () => {
    expect(sseEvent('id: 12\nevent: bot.state.transition\ndata: {"event_id":"x"}')).toEqual({
      id: "12",
      kind: "bot.state.transition",
      data: { event_id: "x" },
    });
    expect(sseEvent('event: gap\ndata: {"after":4}')).toEqual({
      id: "",
      kind: "gap",
      data: { after: 4 },
    });
  });
  it("comments, heartbeats and the retry line are no events", () => {
    expect(sseEvent("retry: 1000\n: from 17")).toBeNull();
    expect(sseEvent(": heartbeat")).toBeNull();
  });
  it("data on several lines is one text; what is no object is no event", () => {
    expect(sseEvent('data: {"a":\ndata: 1}')?.data).toEqual({ a: 1 });
    expect(sseEvent("data: [1]")).toBeNull();
    expect(sseEvent("data: {broken")).toBeNull();
  });
  it("the same stream in any pieces gives the same blocks", () => {
    const stream = 'id: 1\nevent: fill\ndata: {"n":1}\n\n: heartbeat\n\nid: 2\nevent: fill\ndata: {"n":2}\n\n';
    for (let size = 1; size <= stream.length; size += 1) {
      const found: string[] = [];
      let pending = "";
      for (let at = 0; at < stream.length; at += size) {
        const { blocks, rest } = sseBlocks(pending + stream.slice(at, at + size));
        pending = rest;
        found.push(...blocks);
      }
      expect(pending).toBe("");
      expect(found.flatMap((block) => sseEvent(block)?.id ?? [])).toEqual(["1", "2"]);
    }
  });
});
