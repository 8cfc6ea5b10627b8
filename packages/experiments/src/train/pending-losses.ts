/** Losses that wait on the device until somebody wants their numbers. */
import { NonFiniteError } from '@statespace/ssd-core';
import { keep, type Tensor } from '@statespace/tensor';

/** Sum of the losses since the last log; part of a checkpoint, so that a resumed run logs the same means. */
export interface LossSum {
  readonly sum: number;
  readonly count: number;
}

/** One step's loss: parts of a batch and their shares of it. */
export class LazyLoss {
  readonly step: number;
  #parts: { readonly loss: Tensor; readonly share: number }[] = [];
  #value: number | undefined;

  constructor(step: number) {
    this.step = step;
  }

  /** Adds a part; it outlives the scope it was made in until the loss is read. */
  add(loss: Tensor, share: number): void {
    this.#parts.push({ loss: keep(loss), share });
  }

  /** Mean loss of the step; the first call waits for the device. */
  read(): number {
    if (this.#value === undefined) {
      this.#value = this.#parts.reduce((sum, { loss, share }) => sum + loss.item() * share, 0);
      for (const { loss } of this.#parts) loss.dispose();
      this.#parts = [];
    }
    return this.#value;
  }
}

/** Gathers lazy losses between logs. */
export class PendingLosses {
  #waiting: LazyLoss[] = [];
  #sum: number;
  #count: number;

  constructor({ sum, count }: LossSum = { sum: 0, count: 0 }) {
    this.#sum = sum;
    this.#count = count;
  }

  push(loss: LazyLoss): void {
    this.#waiting.push(loss);
  }

  /**
   * Reads what waits into the running sum, in step order.
   * @throws {NonFiniteError} naming the first step whose loss is NaN or infinite.
   */
  drain(): LossSum {
    for (const loss of this.#waiting.splice(0)) {
      const value = loss.read();
      if (!Number.isFinite(value)) {
        throw new NonFiniteError({
          op: 'train',
          argument: `loss of step ${loss.step}`,
          wanted: 'a finite number',
          got: String(value),
        });
      }
      this.#sum += value;
      this.#count += 1;
    }
    return { sum: this.#sum, count: this.#count };
  }

  /** Mean since the last call (NaN when nothing came), and a new start. */
  takeMean(): number {
    const { sum, count } = this.drain();
    this.#sum = 0;
    this.#count = 0;
    return sum / count;
  }
}
