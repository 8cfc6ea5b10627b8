/** Where the command writes: results to stdout, everything else to stderr. */

/** A text stream that may be a terminal. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

const clearLine = '\r\u001b[2K';

/** Output of one command. With `json`, stdout carries one JSON document and nothing else. */
export class Terminal {
  json = false;
  /** Print stacks of errors. */
  verbose = false;
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;
  #statusShown = false;

  constructor({ stdout, stderr }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Whether a status line can be rewritten in place. */
  get interactive(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** A line of the result for people; silent with `json`. */
  print(line = ''): void {
    if (!this.json) this.write(`${line}\n`);
  }

  /** Text of the result as it comes, without a newline; silent with `json`. */
  write(text: string): void {
    if (this.json) return;
    this.#hideStatus();
    this.#stdout.write(text);
  }

  /** The result for programs; silent without `json`. */
  printJson(value: unknown): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A line on stderr that stays. */
  note(line: string): void {
    this.#hideStatus();
    this.#stderr.write(`${line}\n`);
  }

  /** The one line that is rewritten in place; only where `interactive`. */
  status(line: string): void {
    const width = (this.#stderr.columns ?? 80) - 1;
    this.#stderr.write(`${clearLine}${line.length > width ? line.slice(0, width) : line}`);
    this.#statusShown = true;
  }

  #hideStatus(): void {
    if (this.#statusShown) this.#stderr.write(clearLine);
    this.#statusShown = false;
  }

  /** Leaves the terminal with an empty line to go on. */
  end(): void {
    this.#hideStatus();
  }
}
