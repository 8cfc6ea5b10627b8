/** The progress of a training run on stderr: one line in place on a terminal, plain lines elsewhere. */
import type {
  EvalEvent,
  LogEvent,
  NoteEvent,
  StartEvent,
  TrainEvent,
  TrainResult,
} from '@statespace/experiments';
import { formatBytes, formatCount, formatDuration, formatPercent, labelWidth } from './number-format.js';
import type { Terminal } from './terminal.js';

const plainLinePeriodMs = 10_000;

export class TrainingProgress {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #lastLine = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds, for tests */
  constructor(terminal: Terminal, now: () => number = Date.now) {
    this.#terminal = terminal;
    this.#now = now;
  }

  show(event: TrainEvent): void {
    if (event.type === 'start') this.#start(event);
    if (event.type === 'log') this.#log(event);
    if (event.type === 'eval') this.#terminal.note(evalLine(event));
    if (event.type === 'end') this.#end(event.result);
    if (event.type === 'note') this.#note(event);
  }

  #start(event: StartEvent): void {
    const { step, totalSteps, parameters, vocabSize, trainWindows, heldOutWindows } = event;
    const windows = `${formatCount(trainWindows)} training and ${formatCount(heldOutWindows)} held-out windows`;
    this.#terminal.note(
      `${formatCount(parameters)} parameters, ${formatCount(vocabSize)} kinds of token, ${windows}`,
    );
    const references = Object.entries(event.references).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    if (references.length > 0) {
      this.#terminal.note(`held-out loss to beat, nats per token: ${references.join(', ')}`);
    }
    for (const warning of event.warnings) this.#terminal.note(`warning: ${warning}`);
    if (step > 0) this.#terminal.note(`going on after step ${step} of ${totalSteps}`);
  }

  #end(result: TrainResult): void {
    this.#terminal.end();
    if (result.status !== 'completed') return;
    this.#terminal.print();
    for (const [name, text] of summaryLines(result))
      this.#terminal.print(`${name.padEnd(labelWidth)} ${text}`);
  }

  #log(event: LogEvent): void {
    this.#passing(logLine(event), event.step === event.totalSteps);
  }

  #note({ text, passing }: NoteEvent): void {
    if (passing) this.#passing(text, false);
    else this.#terminal.note(text);
  }

  /** A line that the next one takes the place of; where that cannot be, one every few seconds. */
  #passing(line: string, always: boolean): void {
    if (this.#terminal.interactive) {
      this.#terminal.status(line);
      return;
    }
    if (!always && this.#now() - this.#lastLine < plainLinePeriodMs) return;
    this.#lastLine = this.#now();
    this.#terminal.note(line);
  }
}

/** What a completed training came to. */
function summaryLines(result: TrainResult): [string, string][] {
  const { heldOut, best, references, tokens, step, tokensPerSecond, peakRssBytes } = result;
  const others = Object.entries(references).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  const beside = others.length > 0 ? ` (${others.join(', ')})` : '';
  const lines: [string, string][] = [];
  if (heldOut !== undefined) {
    const last = `loss ${heldOut.lastLoss.toFixed(4)}, accuracy ${formatPercent(heldOut.lastAccuracy)}`;
    lines.push(
      ['held-out loss', `${heldOut.loss.toFixed(4)} nats per token${beside}`],
      ['last position', last],
    );
  }
  if (best !== undefined) lines.push(['best', `${best.loss.toFixed(4)} after step ${best.step}`]);
  const work = `${formatCount(tokens)} tokens, ${formatCount(step)} steps`;
  lines.push(
    ['speed', `${formatCount(tokensPerSecond)} tokens/s over ${work}`],
    ['memory', `${formatBytes(peakRssBytes)} resident at most`],
  );
  return lines;
}

function logLine({ step, totalSteps, loss, tokensPerSecond, secondsLeft }: LogEvent): string {
  const rate = `${formatCount(tokensPerSecond)} tok/s`;
  return `step ${step}/${totalSteps}  loss ${loss.toFixed(3)}  ${rate}  ${formatDuration(secondsLeft)} left`;
}

function evalLine({ step, loss, perplexity, accuracy, lastLoss, lastAccuracy, best }: EvalEvent): string {
  const full = `held-out loss ${loss.toFixed(3)} (perplexity ${perplexity.toFixed(1)}, accuracy ${formatPercent(accuracy)})`;
  const last = `last position ${lastLoss.toFixed(3)}, ${formatPercent(lastAccuracy)}`;
  return `step ${step}: ${full}; ${last}${best ? '' : '; not the best'}`;
}
