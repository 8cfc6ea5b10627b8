/** What is claimed of a comparison: that the trainings worked. Which model is better is told, not claimed. */
import type { Check } from '../../experiment/result.js';
import type { RunRow } from './run-row.js';
import type { PairedDifference } from './summary.js';

/** Table 1 of arXiv:2510.04944, six seeds: loss in nats, accuracy as a share of one. */
export const paperResults = {
  mamba_simple: { loss: 10.5, accuracy: 0.095 },
  mamba_SSD_diag_exp: { loss: 9.7, accuracy: 0.111 },
} as const;

export function comparisonChecks(rows: readonly RunRow[], differences: readonly PairedDifference[]): Check[] {
  const paired = differences.filter(
    ({ model, other }) => model === 'mamba_simple' && other === 'mamba_SSD_diag_exp',
  );
  return [allFinite(rows), trainingFell(rows), heldOutFell(rows), ...paired.flatMap(againstPaper)];
}

function allFinite(rows: readonly RunRow[]): Check {
  const numbers = rows.flatMap((row) => [row.untrained_val_loss, ...row.train_loss, ...row.val_loss]);
  const wrong = numbers.filter((loss) => !Number.isFinite(loss)).length;
  return {
    claim: 'every loss is finite',
    passed: wrong === 0,
    found: `${numbers.length - wrong} of ${numbers.length}`,
  };
}

function trainingFell(rows: readonly RunRow[]): Check {
  const long = rows.filter(({ train_loss }) => train_loss.length > 1);
  const fell = long.filter(({ train_loss }) => (train_loss.at(-1) as number) < (train_loss[0] as number));
  return {
    claim: 'the training loss of the last epoch is below that of the first',
    passed: fell.length === long.length,
    found: `${fell.length} of ${long.length} trainings of more than one epoch`,
  };
}

function heldOutFell(rows: readonly RunRow[]): Check {
  const fell = rows.filter((row) => row.best_val_loss < row.untrained_val_loss);
  return {
    claim: 'the best held-out loss is below that before training',
    passed: fell.length === rows.length,
    found: `${fell.length} of ${rows.length} trainings`,
  };
}

/** The paper's order of the two models, in loss and in accuracy; missing it fails nothing. */
function againstPaper({ loss, accuracy }: PairedDifference): Check[] {
  const { mamba_simple: first, mamba_SSD_diag_exp: second } = paperResults;
  const paper = (second.accuracy - first.accuracy) * 100;
  return [
    {
      claim: `mamba_SSD_diag_exp has the lower loss, as in the paper (${(second.loss - first.loss).toFixed(1)} nats)`,
      passed: loss.mean < 0,
      found: `${signed(loss.mean, 4)} nats${interval(loss, 4)}`,
      advisory: true,
    },
    {
      claim: `mamba_SSD_diag_exp has the higher accuracy, as in the paper (+${paper.toFixed(1)} points)`,
      passed: accuracy.mean > 0,
      found: `${signed(100 * accuracy.mean, 2)} points${interval({ ...accuracy, ci95: 100 * accuracy.ci95 }, 2)}`,
      advisory: true,
    },
  ];
}

function signed(value: number, digits: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
}

function interval({ count, ci95 }: PairedDifference['loss'], digits: number): string {
  if (count < 2) return ', one seed';
  return ` ± ${ci95.toFixed(digits)} (95%, ${count} seeds)`;
}
