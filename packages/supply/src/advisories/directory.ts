/**
 * A directory of advisories in the OSV format, read whole: `*.json`, `*.ndjson`, `*.ndjson.gz`, and OSV's own `all.zip`,
 * at any depth. The one part of this package that touches files.
 *
 * How to think: half a directory is none. One file that cannot be read, one record that is not as the format says, one
 * limit that is reached, and the whole is unknown, with the place in the failure; files that are no advisories are named.
 * The digest is that of `sha256sum`'s own list, so that anybody can say which advisories an artifact was judged by.
 *
 * Invariants (directory.test.ts)
 * - The same files in another order of reading give the same digest and the same findings.
 * - Links, archives that lie about their size, and records beyond a limit are refused before they are unpacked.
 */
import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setImmediate as others } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import {
  err,
  failure,
  FailureError,
  isEncryptedEntry,
  ok,
  sha256Hex,
  unzipEntry,
  zip64Entries,
  type Failure,
  type Result,
} from "@rumi/kernel";
import { readJsonValue, type JsonValue } from "../json.ts";
import { shown } from "../shown.ts";
import type { Advisories } from "./finding.ts";
import { ShelfMaker } from "./match.ts";
import { readAdvisory, readIndex } from "./osv.ts";

export const ADVISORY_LIMITS = {
  /** Folders within each other. */
  depth: 8,
  files: 1_000_000,
  /** One file as it lies there. */
  file_bytes: 1_073_741_824,
  records: 1_000_000,
  record_bytes: 4_194_304,
  /** All records, unpacked. */
  bytes: 8_589_934_592,
} as const;
export type AdvisoryLimits = { readonly [name in keyof typeof ADVISORY_LIMITS]: number };

/** How many records are read before others get their turn. */
const TURN_RECORDS = 256;
/** Of an archive that is unpacked piece by piece. */
const PIECE_BYTES = 1_048_576;
const INDEX = "index.json";

export async function openAdvisories(
  directory: string,
  limits: AdvisoryLimits = ADVISORY_LIMITS,
): Promise<Result<Advisories, Failure>> {
  try {
    return ok(await new Opening(limits).open(directory));
  } catch (cause) {
    if (cause instanceof FailureError) return err(cause.failure);
    const problem = (cause as NodeJS.ErrnoException).code;
    if (problem === undefined) throw cause;
    return err(failure("RUMI-SUP-006", { path: ".", problem }, { cause }));
  }
}

class Opening {
  readonly #limits: AdvisoryLimits;
  readonly #shelf = new ShelfMaker();
  readonly #ignored: string[] = [];
  #records = 0;
  #bytes = 0;
  #fetched_at: string | null = null;

  constructor(limits: AdvisoryLimits) {
    this.#limits = limits;
  }

  async open(directory: string): Promise<Advisories> {
    // What the name leads to now: a mirror that is exchanged whole meanwhile is not read by halves.
    const root = await realpath(directory);
    const files = (await this.#filesBelow(root)).map((path) => ({
      path,
      name: relative(root, path).split(sep).join("/"),
    }));
    let list = "";
    for (const { path, name } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const digest = await this.#readOne(path, name);
      if (digest === undefined) this.#ignored.push(name);
      else list += `${digest}  ${name}\n`;
    }
    const { count, withdrawn, git_ranges, newest, match } = this.#shelf.make();
    return {
      digest: `sha256:${sha256Hex(list)}`,
      newest_modified: newest,
      fetched_at: this.#fetched_at,
      count,
      withdrawn,
      git_ranges_ignored: git_ranges,
      files_ignored: this.#ignored,
      match,
    };
  }

  async #filesBelow(root: string): Promise<readonly string[]> {
    const found: string[] = [];
    let folders = [root];
    for (let depth = 0; folders.length > 0; depth += 1) {
      if (depth > this.#limits.depth) throw this.#tooLarge(".", this.#limits.depth, "levels of folders");
      const next: string[] = [];
      for (const folder of folders)
        for (const entry of await readdir(folder, { withFileTypes: true })) {
          const path = join(folder, entry.name);
          if (entry.isDirectory()) next.push(path);
          else if (entry.isFile()) found.push(path);
          else throw unreadable(relative(root, path), "it is a link or no plain file");
          if (found.length > this.#limits.files) throw this.#tooLarge(".", this.#limits.files, "files");
        }
      folders = next;
    }
    return found;
  }

  /** The SHA-256 of the file's bytes; undefined for one that is no advisory. */
  async #readOne(path: string, name: string): Promise<string | undefined> {
    const kind = /\.(json|ndjson|ndjson\.gz|zip)$/.exec(name)?.[1];
    if (kind === undefined) return undefined;
    const { size } = await lstat(path);
    if (size > this.#limits.file_bytes) throw this.#tooLarge(name, this.#limits.file_bytes, "bytes");
    const bytes = await readFile(path);
    if (name === INDEX) this.#readIndex(bytes);
    else if (kind === "zip") await this.#readZip(bytes, name);
    else if (kind === "json") this.#add(bytes, name, 0);
    else await this.#readLines(kind === "ndjson" ? [bytes] : unpacked(bytes, name), name);
    await others();
    return sha256Hex(bytes);
  }

  #readIndex(bytes: Buffer): void {
    const read = readIndex(this.#parse(bytes, INDEX, 0));
    if (typeof read === "string") throw unreadable(INDEX, read);
    this.#fetched_at = read.fetched_at;
  }

  async #readZip(bytes: Buffer, name: string): Promise<void> {
    const entries = zip64Entries(bytes, this.#limits.files);
    if (entries === "too many") throw this.#tooLarge(name, this.#limits.files, "files");
    if (entries === undefined) throw unreadable(name, "it is not a zip archive, or it is cut off");
    for (const entry of entries) {
      const inner = `${name}:${entry.name}`;
      if (entry.name.endsWith("/")) continue;
      if (!entry.name.endsWith(".json")) {
        this.#ignored.push(inner);
        continue;
      }
      if (isEncryptedEntry(entry)) throw unreadable(inner, "it is encrypted");
      if (entry.size > this.#limits.record_bytes) throw this.#tooLarge(inner, this.#limits.record_bytes, "bytes");
      const data = unzipEntry(bytes, entry);
      if (typeof data === "string") throw unreadable(inner, data);
      this.#add(data, inner, 0);
      if (this.#records % TURN_RECORDS === 0) await others();
    }
  }

  /** One record a line; a line may go over several pieces. */
  async #readLines(pieces: Iterable<Buffer> | AsyncIterable<Buffer>, name: string): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    let line = 0;
    const take = (record: Buffer): void => {
      line += 1;
      if (record.some((byte) => byte > 32)) this.#add(record, name, line);
    };
    for await (const piece of pieces) {
      const text = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let from = 0;
      for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, from)) {
        take(text.subarray(from, end));
        from = end + 1;
        if (this.#records % TURN_RECORDS === 0) await others();
      }
      rest = text.subarray(from);
      if (rest.length > this.#limits.record_bytes) throw this.#tooLarge(name, this.#limits.record_bytes, "bytes");
    }
    take(rest);
  }

  /** `line`: of the file, for one record a line; 0 for a file that is one record. */
  #add(bytes: Buffer, name: string, line: number): void {
    const advisory = readAdvisory(this.#parse(bytes, name, line));
    if (typeof advisory === "string") throw invalid(name, Math.max(1, line), advisory);
    this.#shelf.add(advisory);
    this.#records += 1;
    if (this.#records > this.#limits.records) throw this.#tooLarge(name, this.#limits.records, "records");
  }

  #parse(bytes: Buffer, name: string, line: number): JsonValue {
    if (bytes.length > this.#limits.record_bytes) throw this.#tooLarge(name, this.#limits.record_bytes, "bytes");
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.bytes) throw this.#tooLarge(name, this.#limits.bytes, "bytes");
    let text: string;
    try {
      text = UTF8.decode(bytes);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw invalid(name, Math.max(1, line), "it is no UTF-8");
    }
    const read = readJsonValue(text);
    if (!read.ok) throw invalid(name, line === 0 ? read.error.line : line, read.error.problem);
    return read.value;
  }

  #tooLarge(path: string, limit: number, unit: string): FailureError {
    return new FailureError(failure("RUMI-SUP-008", { path: shown(path), limit, unit }));
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

async function* unpacked(bytes: Buffer, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  gunzip.end(bytes);
  try {
    for await (const piece of gunzip) yield piece as Buffer;
  } catch {
    throw unreadable(name, "it does not unpack");
  } finally {
    gunzip.destroy();
  }
}

const unreadable = (path: string, problem: string): FailureError =>
  new FailureError(failure("RUMI-SUP-006", { path: shown(path), problem }));
const invalid = (path: string, line: number, problem: string): FailureError =>
  new FailureError(failure("RUMI-SUP-007", { path: shown(path), line, problem }));
