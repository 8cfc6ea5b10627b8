/** What one layer remembers of the tokens it has seen. */
import type { Tensor } from '@statespace/tensor';

/** Both tensors are changed in place by `prefill` and `step`. */
export interface LayerState {
  /** Last inputs of the convolution, oldest first, (B, channels, dConv - 1). */
  readonly conv: Tensor;
  /** State of the recurrence: (B, E, N) in Mamba, (B, H, P, N) in Mamba-2. */
  readonly ssm: Tensor;
}

/** Shapes of a layer's state without the batch axis. */
export interface LayerStateShapes {
  readonly conv: readonly number[];
  readonly ssm: readonly number[];
}
