/** A runner's authenticated connection as the control plane uses it; socket-server.ts makes real ones. */
import type { ControlMessage, RunnerMessage } from "@rumi/runtime";

export type RunnerHello = { readonly runner_id: string; readonly pid: number; readonly started_at: number };

export interface RunnerConnection {
  readonly hello: RunnerHello;
  /** Queues the message; false when the connection is gone. */
  send(message: ControlMessage): boolean;
  /** Messages after the handshake, one at a time and in order. */
  onMessage(listener: (message: RunnerMessage) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}
