/**
 * exp4: the time of the recurrence grows with T, that of the product with the kernel with T^2. In float64 TypeScript as
 * in the original, and on the native kernels to lengths that no kernel of size (T, T) reaches.
 */
import { z } from 'zod';
import { commonParams } from '../../config/common-params.js';
import { breathe, figurePath, writeRunFigures, writeSharedFigure } from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { linearForms, measureNative, type NativeFormName, type NativeRow } from './native-scaling.js';
import { flopsScale, scalingFlops } from './scaling-flops.js';
import { lengthsParam, paper } from './shared-params.js';
import {
  dualForms,
  measureScaling,
  type ScalingRow,
  type ScalingSlopes,
  scalingDecays,
  scalingSlopes,
  scalingWidth,
} from './time-scaling.js';
import {
  formsAgree,
  nativeFormsAgree,
  nativeSlopes,
  nativeTimesScale,
  timesScale,
} from './time-scaling-checks.js';
import { nativeSeries, scalingSeries, timeScalingFigure } from './time-scaling-figure.js';

/** The (T, T) kernel takes 2 GiB in float64 at this length. */
const longestKernel = 16_384;
/** Inputs and outputs take 2 GiB each in float64 at this length. */
const longestRecurrence = 2 ** 24;

/** Parameters of both timing experiments. */
export const timingParams = {
  seqLens: lengthsParam([300, 600, 1200], longestKernel).meta({
    flag: '--T-values',
    description: 'Lengths T of the TypeScript forms, steps',
  }),
  endToEnd: z
    .boolean()
    .default(true)
    .meta({
      flag: ['--end-to-end', '--exp4-end-to-end'],
      description: 'Also time the kernel made anew before each product',
    }),
  minSampleMs: z
    .number()
    .positive()
    .max(60_000)
    .default(20)
    .meta({ flag: '--min-sample-ms', description: 'Least duration of a timing sample, milliseconds' }),
};

const params = z.strictObject({
  ...commonParams,
  ...timingParams,
  nativeSeqLens: lengthsParam([4096, 16_384, 65_536], longestRecurrence).meta({
    flag: '--native-T-values',
    description: 'Lengths T of the native recurrences; the reference backend has none',
  }),
  nativeKernelSeqLens: lengthsParam([512, 1024, 2048, 4096], longestKernel).meta({
    flag: '--native-kernel-T-values',
    description: 'Lengths T of the native kernel products',
  }),
  plot: z
    .boolean()
    .default(true)
    .meta({ flag: '--exp4-plot', description: 'Write the figure beside the run folder too' }),
  plotPath: figurePath().meta({
    flag: '--exp4-plot-path',
    description: 'Where to; default exp4_time_scaling.png in the output folder',
  }),
});

export const exp4TimeScaling = defineExperiment({
  name: 'exp4-time-scaling',
  aliases: ['exp4', 'exp4_time_scaling'],
  summary: 'Time of the recurrence and of the kernel product against the length T, in TypeScript and native',
  paper: `${paper}, section 4.3`,
  params,
  dtype: 'f64',
  fast: {
    seqLens: [100, 200, 400],
    nativeSeqLens: [8192, 65_536],
    nativeKernelSeqLens: [256, 512, 1024],
    minSampleMs: 5,
  },
  run,
});

type Params = z.output<typeof params>;

async function run(params: Params, context: ExperimentContext): Promise<ExperimentOutcome> {
  const rows: ScalingRow[] = [];
  for (const seqLen of params.seqLens) {
    await breathe(context.signal);
    rows.push(measureScaling(seqLen, params));
  }
  const slopes = scalingSlopes(rows);
  const native = await measureOnDevice(params, context);
  const flops = params.seqLens.map((seqLen) => scalingFlops(seqLen));
  const figure = timeScalingFigure(
    { title: 'Time against length', subtitle: subtitle(slopes, context.device) },
    [...scalingSeries(rows), ...nativeSeries(native)],
  );
  const artifacts = await writeRunFigures(context.run, { exp4_time_scaling: figure });
  const { plot, plotPath } = params;
  const shared =
    plot || plotPath !== undefined
      ? { figure: await writeSharedFigure(context.run, figure, plotPath, 'exp4_time_scaling.png') }
      : {};
  return {
    status: 'completed',
    tolerance: dualForms.tolerance,
    details: [
      ...formsAgree(rows, dualForms.tolerance),
      ...flopsScale(flops),
      ...timesScale(rows, slopes),
      ...(native.length === 0 ? [] : [nativeFormsAgree(native), ...nativeTimesScale(nativeSlopes(native))]),
    ],
    metadata: {
      T_values: params.seqLens,
      N: scalingDecays.length,
      width: scalingWidth,
      decays: scalingDecays,
      min_sample_ms: params.minSampleMs,
      ...slopeFields('slope', slopes),
      output_difference: Math.max(...rows.map((row) => row.output_difference)),
      times: rows,
      flops,
      ...(native.length === 0
        ? { native: 'skipped: the reference backend has no native kernels' }
        : {
            native: context.device,
            ...slopeFields('native_slope', nativeSlopes(native)),
            native_times: native,
          }),
      ...shared,
    },
    artifacts,
  };
}

/** Recurrences at their lengths, kernel products at theirs; none on the reference. */
async function measureOnDevice(params: Params, { device, signal }: ExperimentContext): Promise<NativeRow[]> {
  const rows: NativeRow[] = [];
  if (device === 'reference') return rows;
  const options = { ...params, device };
  const products: NativeFormName[] = [
    'kernel product',
    ...(params.endToEnd ? (['kernel and product'] as const) : []),
  ];
  for (const [lengths, forms] of [
    [params.nativeSeqLens, linearForms],
    [params.nativeKernelSeqLens, products],
  ] as const) {
    for (const seqLen of lengths) {
      await breathe(signal);
      rows.push(...measureNative(seqLen, forms, options));
    }
  }
  return rows;
}

/** One field for each slope: `slope_recurrence`, `native_slope_kernel_product`. */
export function slopeFields(
  prefix: string,
  slopes: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(slopes).map(([form, slope]) => [
      `${prefix}_${form.replace(/_ms$/, '').replaceAll(' ', '_')}`,
      slope,
    ]),
  );
}

function subtitle({ recurrence_ms, attention_ms }: ScalingSlopes, device: string): string[] {
  const native = device === 'reference' ? '' : `, native on ${device}`;
  return [
    `N = ${scalingDecays.length} states, inputs of width ${scalingWidth}${native}`,
    ...(recurrence_ms === undefined || attention_ms === undefined
      ? []
      : [`TypeScript: recurrence T^${recurrence_ms.toFixed(2)}, kernel × U T^${attention_ms.toFixed(2)}`]),
  ];
}
