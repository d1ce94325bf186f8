/** Where the rows of a recording go, and which file they come from. */
import type { RecordingFormat } from "../types.ts";
import type { Layout } from "./layouts.ts";
import type { Precision } from "./row-parser.ts";

export interface RowSink {
  /** Once, before the first row. `digits` holds the decimals of the row's numbers where the precision is `any`. */
  begin(layout: Layout, digits: Uint8Array): void;
  /** The values (by SLOT) are only meaningful until the next row. */
  row(values: Float64Array, flags: number): void;
  /** Between chunks and after the last row; may wait, which holds the reading back. */
  pause?(at: "chunk" | "end"): void | Promise<void>;
}

export type ScanFile = {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly precision: Precision;
};
