/** Makes what was written to the file durable; `done` gets null or the problem. As `fdatasync` of node:fs. */
export type Datasync = (fd: number, done: (problem: Error | null) => void) => void;
