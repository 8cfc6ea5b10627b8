/** The command line as a function, for programs that want to embed or test it. */
export { runCli } from './cli.js';
export { exitCode } from './exit-codes.js';
export type { TerminalOptions, TextStream } from './terminal.js';
