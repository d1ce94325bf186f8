import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { received } from "./digest.ts";

const archive = Buffer.from("an archive");
const sha256 = createHash("sha256").update(archive).digest("hex");

it("bytes are taken where every digest that was told is theirs", async () => {
  const taken = await received(archive.toString("base64"), [sha256, sha256]);
  expect(taken).toEqual({ kind: "same", bytes: new Uint8Array(archive) });
});

it("another byte, another digest, or none: they are not taken", async () => {
  const other = Buffer.from("an archivE");
  expect((await received(other.toString("base64"), [sha256])).kind).toBe("other");
  expect(await received(archive.toString("base64"), [sha256, "00"])).toEqual({ kind: "other", found: sha256 });
  expect((await received(archive.toString("base64"), [])).kind).toBe("other");
  await expect(received("not base64!", [sha256])).rejects.toThrow();
});
