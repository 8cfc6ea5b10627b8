/** The loss curves of one training. */
import type { TopLevelSpec } from 'vega-lite';
import { lineFigure } from '../../figures/line-figure.js';
import type { RunRow } from './run-row.js';

/** Training and held-out loss against epochs; the loss before training is named, not drawn. */
export function lossCurves(row: RunRow): TopLevelSpec {
  const points = (losses: readonly number[]) => losses.map((y, i) => ({ x: i + 1, y }));
  const best = `best ${row.best_val_loss.toFixed(3)} after epoch ${row.best_epoch}`;
  return lineFigure({
    title: `${row.model}, seed ${row.seed}`,
    subtitle: [
      `${row.dataset}, next word after ${row.flags.seq_len}, init ${row.flags.init}`,
      `${best}, accuracy ${(100 * row.best_val_acc).toFixed(1)} %`,
      `before training ${row.untrained_val_loss.toFixed(3)}`,
    ],
    x: { title: 'epoch', ticks: epochTicks(row.val_loss.length) },
    y: { title: 'cross-entropy (nats)' },
    series: [
      { label: 'training', points: points(row.train_loss) },
      { label: 'held out', points: points(row.val_loss) },
    ],
  });
}

/** Whole epochs, about six of them. */
export function epochTicks(epochs: number): number[] {
  const step = Math.max(1, Math.ceil(epochs / 6));
  return Array.from({ length: Math.ceil(epochs / step) }, (_, i) => 1 + i * step);
}

/** `wikitext2_mamba_simple_seed3.png`, in the folder of the log. */
export function lossCurvesFile({ dataset, model, seed }: RunRow): string {
  return `${dataset}_${model}_seed${seed}.png`;
}
