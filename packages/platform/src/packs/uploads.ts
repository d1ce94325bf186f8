/**
 * Receives archives: a stranger's bytes as they come, into a private folder, counted and hashed on the way.
 *
 * How to think: a received archive is nobody's until an import took it over. It lives as long as the request that brought it,
 * under its own hash, so that the same archive sent twice at once is one file; whoever lets go of it last takes it away. What a
 * killed program left is taken away at the next start (`sweep` of the library).
 *
 * Invariants (uploads.test.ts)
 * - At most `upload_bytes` reach the disk, and at most `uploads_at_once` archives are received together.
 * - What did not arrive whole leaves nothing.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { err, failure, ok, uuidv7, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { Received } from "@rumi/operations";
import { turns } from "../turns.ts";
import { exists, removeTree } from "./files.ts";
import type { UploadLimits } from "./limits.ts";

export type Upload = { readonly sha256: string; readonly bytes: number };
export const NO_UPLOAD: Upload = { sha256: "0".repeat(64), bytes: 0 };

const BUSY_SECONDS = 5;
const OUT_OF_SPACE: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

export interface PackUploads {
  receive(body: Readable): Promise<Result<Received, Failure>>;
  /** Where an archive lies that is held now. */
  fileOf(sha256: string): string | undefined;
  /** Takes away what no request of this process holds. */
  sweep(): Promise<void>;
}

export function packUploads(deps: {
  readonly folder: string;
  readonly limits: UploadLimits;
  readonly clock: Clock;
  readonly random: Random;
}): PackUploads {
  const { folder, limits, clock, random } = deps;
  const held = new Map<string, number>();
  const parts = new Set<string>();
  let receiving = 0;
  const nameOf = (sha256: string): string => `${sha256}.zip`;
  const fileOf = (sha256: string): string => join(folder, nameOf(sha256));

  /** One that is let go of, and the same one that has just arrived, come one after the other. */
  const inTurn = turns();

  const keep = (part: string, sha256: string): Promise<void> =>
    inTurn(async () => {
      await rename(part, fileOf(sha256));
      held.set(sha256, (held.get(sha256) ?? 0) + 1);
    });
  const letGo = (sha256: string): Promise<void> =>
    inTurn(async () => {
      const others = (held.get(sha256) ?? 1) - 1;
      if (others > 0) return void held.set(sha256, others);
      held.delete(sha256);
      await rm(fileOf(sha256), { force: true });
    });
  const take = async (body: Readable): Promise<Result<Received, Failure>> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const name = `${uuidv7(clock.now(), random)}.part`;
    const part = join(folder, name);
    parts.add(name);
    try {
      const written = await write(body, part, limits.upload_bytes);
      if (!written.ok) return written;
      const { sha256 } = written.value;
      await keep(part, sha256);
      return ok({ received: written.value, release: () => letGo(sha256) });
    } finally {
      await rm(part, { force: true });
      parts.delete(name);
    }
  };
  return {
    receive: async (body) => {
      if (receiving >= limits.uploads_at_once)
        return err(failure("RUMI-PACK-043", { limit: limits.uploads_at_once, seconds: BUSY_SECONDS }));
      receiving += 1;
      try {
        return await take(body);
      } finally {
        receiving -= 1;
      }
    },
    fileOf: (sha256) => (held.has(sha256) ? fileOf(sha256) : undefined),
    sweep: () =>
      inTurn(async () => {
        const there = (await exists(folder)) ? await readdir(folder) : [];
        const mine = new Set([...parts, ...[...held.keys()].map(nameOf)]);
        for (const name of there) if (!mine.has(name)) await removeTree(join(folder, name));
      }),
  };
}

async function write(body: Readable, path: string, limit: number): Promise<Result<Upload, Failure>> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const file = await open(path, "wx", 0o600);
    try {
      // Left whole: its answer still goes out over the connection that it comes by.
      for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes > limit) return err(failure("RUMI-PACK-040", { limit }));
        hash.update(piece);
        await file.writeFile(piece);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (OUT_OF_SPACE.has(code)) return err(failure("RUMI-SYS-008", {}, { cause }));
    if (!body.destroyed) throw cause;
    return err(failure("RUMI-PACK-041", { problem: `the connection ended after ${bytes} bytes` }, { cause }));
  }
  return body.readableEnded
    ? ok({ sha256: hash.digest("hex"), bytes })
    : err(failure("RUMI-PACK-041", { problem: `the connection ended after ${bytes} bytes` }));
}
