/**
 * The models of the comparison. The paper's two differ in one thing, whether the state-space model looks at its input;
 * with the number of decays of a channel as the other, there are four.
 */
import type { TrainConfigInput } from '../../config/train-config.js';

type ModelSection = NonNullable<TrainConfigInput['model']>;

export interface ComparisonModel {
  /** For figures. */
  readonly label: string;
  readonly options: Required<Pick<ModelSection, 'architecture' | 'decay'>>;
}

export const modelNames = [
  'mamba_simple',
  'mamba_SSD_diag_exp',
  'mamba_simple_scalar',
  'mamba_SSD_scalar_exp',
] as const;

export type ModelName = (typeof modelNames)[number];

/** The two of the paper's Table 1. */
export const paperModels = ['mamba_simple', 'mamba_SSD_diag_exp'] as const satisfies readonly ModelName[];

export const comparisonModels: Readonly<Record<ModelName, ComparisonModel>> = {
  mamba_simple: {
    label: 'selective, N decays',
    options: { architecture: 'mamba', decay: 'diagonal' },
  },
  mamba_SSD_diag_exp: {
    label: 'constant, N decays',
    options: { architecture: 'mamba-diag', decay: 'diagonal' },
  },
  mamba_simple_scalar: {
    label: 'selective, one decay',
    options: { architecture: 'mamba', decay: 'scalar' },
  },
  mamba_SSD_scalar_exp: {
    label: 'constant, one decay',
    options: { architecture: 'mamba-diag', decay: 'scalar' },
  },
};
