/** Lines of a log of trainings without the trainings. */
import type { RunRow } from '../builtin/wikitext2-comparison/run-row.js';

/** A line with the given best loss in its second epoch of two; accuracy is a hundredth of it. */
export function comparisonRow(
  model: string,
  seed: number,
  loss: number,
  changes: Partial<RunRow> = {},
): RunRow {
  return {
    model,
    dataset: 'wikitext2',
    seed,
    flags: { epochs: 2, init: 'scaled', d_model: 64, n_state: 16, n_layers: 2, seq_len: 128 },
    parameters: 100,
    untrained_val_loss: 10,
    train_loss: [loss + 1, loss - 1],
    val_loss: [loss + 0.5, loss],
    val_acc: [0, loss / 100],
    best_epoch: 2,
    best_val_loss: loss,
    best_val_acc: loss / 100,
    seconds: 1,
    ts: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}
