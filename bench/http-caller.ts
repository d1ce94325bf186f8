/**
 * HTTP/1.1 by hand over one connection: on a small machine a load generator competes with the program for the same cores,
 * and the status and length of an answer are all that it looks at.
 */
import { connect, type Socket } from "node:net";

/** One connection; `ask` resolves with the status of its answer. */
export class Caller {
  readonly #socket: Socket;
  #received = "";
  /** The whole text of the last answer. */
  last = "";
  #answer: ((status: number) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(hostname: string, port: number) {
    this.#socket = connect({ host: hostname, port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", (error) => this.#fail?.(error));
    this.#socket.on("close", () => this.#fail?.(new Error("the connection was closed")));
  }

  ask(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
      this.#socket.write(text, "latin1");
    });
  }

  end(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received = this.#received === "" ? text : this.#received + text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      this.#fail?.(new Error(`an answer without a length: ${this.#received.slice(0, headEnd)}`));
      return;
    }
    if (this.#received.length < headEnd + 4 + Number(length)) return;
    const status = Number(this.#received.slice(9, 12));
    this.last = this.#received;
    this.#received = "";
    this.#answer?.(status);
  }
}
