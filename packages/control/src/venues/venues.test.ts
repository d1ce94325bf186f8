/** What a venue's files are held to at each start: the hashes that they were registered with. */
import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import type { VenueSpec } from "./model.ts";
import { venueUnchanged } from "./operations.ts";

it("[L-N3] every file of a venue is hashed anew, the last one like the first; one that is gone has a code of its own", async () => {
  const folder = temporaryFolder();
  const texts = ["first\n", "second\n", `${"third".repeat(500_000)}\n`];
  const paths = texts.map((_, at) => join(folder.path, `${at}.csv`));
  const put = (): void => texts.forEach((text, at) => writeFileSync(paths[at] ?? "", text));
  put();
  const files = texts.map((text, at) => ({
    path: paths[at],
    sha256: `sha256:${createHash("sha256").update(text).digest("hex")}`,
  }));
  const venue = { venue_id: "SIM", files } as unknown as VenueSpec;
  expect(await venueUnchanged(venue)).toMatchObject({ ok: true });
  for (const [at, path] of paths.entries()) {
    const text = texts[at] ?? "";
    for (const other of [`${text.slice(0, -2)}x\n`, `${text} `, ""]) {
      writeFileSync(path, other);
      expect(await venueUnchanged(venue)).toMatchObject({
        ok: false,
        error: { code: "RUMI-BOT-008", params: { venue_id: "SIM", path } },
      });
    }
    rmSync(path);
    expect(await venueUnchanged(venue)).toMatchObject({ ok: false, error: { code: "RUMI-BOT-009", params: { path } } });
    put();
  }
  expect(await venueUnchanged(venue)).toMatchObject({ ok: true });
  folder.remove();
});
