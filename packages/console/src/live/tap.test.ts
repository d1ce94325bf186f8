import { expect, it } from "vitest";
import { createTap } from "./tap.ts";

it("[G-9.1] everybody who listens hears every event, and nobody who has left", () => {
  const { tell, listen } = createTap();
  const heard: string[] = [];
  const stop = listen(({ id }) => heard.push(`a${id}`));
  listen(({ id }) => heard.push(`b${id}`));
  tell({ id: "1", kind: "intent", data: {} });
  stop();
  tell({ id: "2", kind: "intent", data: {} });
  expect(heard).toEqual(["a1", "b1", "b2"]);
});
