/**
 * Opens a recording as a stream of decompressed bytes: plain, gzip, or a zip that holds one file of data.
 *
 * The kind is told by the first bytes, not by the name. Bytes after decompression are counted against
 * `recording_bytes`, so a zip bomb ends there; CRC and sizes are checked.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { crc32, createGunzip, createInflateRaw } from "node:zlib";
import { failure, FailureError, type Digest } from "@rumi/kernel";
import type { VenueLimits } from "../limits.ts";

export type Compression = "none" | "gzip" | "zip";

export type RecordingSource = {
  readonly compression: Compression;
  /** Throws `FailureError`; to be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of the file as it lies on disk; complete once `chunks` has ended. */
  readonly digest: () => Digest;
};

const CHUNK = 262_144;

/** Throws `FailureError` (RUMI-MKT-001, -004, -005). */
export async function openRecording(path: string, limits: VenueLimits): Promise<RecordingSource> {
  await mustBeFile(path);
  const start = await readRange(path, 0, 4);
  if (start[0] === 0x50 && start[1] === 0x4b) return openZip(path, limits);
  const gzip = start[0] === 0x1f && start[1] === 0x8b;
  const hash = createHash("sha256");
  const file = createReadStream(path, { highWaterMark: CHUNK });
  file.on("data", (chunk) => hash.update(chunk));
  let stream: AsyncIterable<Uint8Array> = file;
  if (gzip) {
    const gunzip = createGunzip({ chunkSize: CHUNK });
    file.on("error", (error) => gunzip.destroy(error));
    gunzip.on("close", () => file.destroy());
    stream = file.pipe(gunzip);
  }
  return {
    compression: gzip ? "gzip" : "none",
    chunks: bounded(path, stream, limits),
    digest: once(() => `sha256:${hash.digest("hex")}` as Digest),
  };
}

/** Digest of a file as it lies on disk. Throws `FailureError` (RUMI-MKT-001). */
export async function fileDigest(path: string): Promise<Digest> {
  await mustBeFile(path);
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return `sha256:${hash.digest("hex")}` as Digest;
}

/** A device or a pipe would be read for ever, or block on being opened. */
async function mustBeFile(path: string): Promise<void> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!facts.isFile())
    throw unreadable(path, Object.assign(new Error("not a regular file"), { code: "it is no regular file" }));
}

async function openZip(path: string, limits: VenueLimits): Promise<RecordingSource> {
  const digest = await fileDigest(path);
  const entry = await onlyEntry(path, limits);
  const raw = createReadStream(path, {
    start: entry.offset,
    end: entry.offset + entry.compressed - 1,
    highWaterMark: CHUNK,
  });
  let stream: AsyncIterable<Uint8Array> = raw;
  if (entry.method === 8) {
    const inflate = createInflateRaw({ chunkSize: CHUNK });
    raw.on("error", (error) => inflate.destroy(error));
    inflate.on("close", () => raw.destroy());
    stream = raw.pipe(inflate);
  }
  return {
    compression: "zip",
    chunks: checked(path, bounded(path, stream, limits), entry),
    digest: () => digest,
  };
}

type ZipEntry = {
  readonly offset: number;
  readonly compressed: number;
  readonly size: number;
  readonly crc: number;
  readonly method: number;
};

/** Reads the central directory; APPNOTE.TXT 4.3.12 and 4.3.16. */
async function onlyEntry(path: string, limits: VenueLimits): Promise<ZipEntry> {
  const size = await fileSize(path);
  const tail = await readRange(path, Math.max(0, size - 65_557), 65_557);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > tail.length) throw archive(path, "its directory is missing");
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryAt = tail.readUInt32LE(end + 16);
  if (directoryBytes > limits.zip_directory_bytes)
    throw tooLarge(path, "zip_directory_bytes", limits.zip_directory_bytes);
  const directory = await readRange(path, directoryAt, directoryBytes);
  const files: { readonly name: string; readonly at: number }[] = [];
  for (let at = 0; at + 46 <= directory.length;) {
    if (directory.readUInt32LE(at) !== 0x02014b50) throw archive(path, "its directory is damaged");
    const name = directory.toString("latin1", at + 46, at + 46 + directory.readUInt16LE(at + 28));
    if (!name.endsWith("/")) files.push({ name, at });
    at += 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  const [only] = files;
  if (only === undefined || files.length !== 1) throw archive(path, `it holds ${files.length} files`);
  if (!/\.(csv|json)$/i.test(only.name)) throw archive(path, "its file is neither a .csv nor a .json");
  const [flags, method] = [directory.readUInt16LE(only.at + 8), directory.readUInt16LE(only.at + 10)];
  const [crc, compressed, length, headerAt] = [16, 20, 24, 42].map((offset) =>
    directory.readUInt32LE(only.at + offset),
  );
  if (crc === undefined || compressed === undefined || length === undefined || headerAt === undefined)
    throw archive(path, "its directory is damaged");
  if ((flags & 1) !== 0) throw archive(path, "its file is encrypted");
  if (method !== 0 && method !== 8) throw archive(path, `compression method ${method} is not supported`);
  if (compressed === 0xffffffff || length === 0xffffffff || headerAt === 0xffffffff)
    throw archive(path, "it is a zip64 archive");
  if (compressed === 0) throw archive(path, "its file is empty");
  const header = await readRange(path, headerAt, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== 0x04034b50)
    throw archive(path, "the header of its file is damaged");
  return {
    offset: headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28),
    compressed,
    size: length,
    crc,
    method,
  };
}

async function* bounded(
  path: string,
  stream: AsyncIterable<Uint8Array>,
  limits: VenueLimits,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of stream) {
      total += chunk.length;
      if (total > limits.recording_bytes) throw tooLarge(path, "recording_bytes", limits.recording_bytes);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof FailureError) throw cause;
    const code = codeOf(cause);
    throw code.startsWith("Z_") ? archive(path, `it is damaged (${code})`, cause) : unreadable(path, cause);
  }
}

async function* checked(path: string, chunks: AsyncIterable<Uint8Array>, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  let crc = 0;
  let size = 0;
  for await (const chunk of chunks) {
    crc = crc32(chunk, crc);
    size += chunk.length;
    yield chunk;
  }
  if (size !== entry.size) throw archive(path, `its file has ${size} bytes instead of ${entry.size}`);
  if (crc !== entry.crc) throw archive(path, "its checksum is wrong");
}

async function readRange(path: string, at: number, length: number): Promise<Buffer> {
  try {
    const handle = await open(path, "r");
    try {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, at);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function fileSize(path: string): Promise<number> {
  const handle = await open(path, "r");
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "unknown";
}

function unreadable(path: string, cause: unknown): FailureError {
  return new FailureError(failure("RUMI-MKT-001", { path, problem: codeOf(cause) }, { cause }));
}

function archive(path: string, problem: string, cause?: unknown): FailureError {
  return new FailureError(failure("RUMI-MKT-004", { path, problem }, { cause }));
}

export function tooLarge(path: string, limit_name: string, limit: number): FailureError {
  return new FailureError(failure("RUMI-MKT-005", { path, limit_name, limit }));
}
