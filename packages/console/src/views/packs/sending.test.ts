import { describe, expect, it } from "vitest";
import { createSending } from "./sending.ts";

describe("[R-5.2] a file on its way", () => {
  it("tells how far it is to whoever watches, and to nobody who left", () => {
    const sending = createSending();
    const told: (number | null)[] = [];
    const leave = sending.subscribe(() => told.push(sending.share()));
    expect(sending.share()).toBe(null);
    sending.begin();
    sending.tell(50, 200);
    sending.tell(300, 200);
    sending.tell(0, 0);
    sending.end();
    leave();
    sending.tell(1, 2);
    expect(told).toEqual([0, 0.25, 1, 0, null]);
  });

  it("taken back, its signal says so; begun again, it has a new one", () => {
    const sending = createSending();
    const first = sending.begin();
    sending.cancel();
    const second = sending.begin();
    expect([first.aborted, second.aborted]).toEqual([true, false]);
  });
});
