/** Experiment definitions, trainer, run store and figures for state-space models. */
export { builtinExperiments } from './builtin/index.js';
export { type PlotRunsFiles, type PlotRunsOptions, plotRuns } from './builtin/synthetic-decays/plot-runs.js';
export {
  seriesFolder,
  seriesRunsFile,
  seriesTask,
} from './builtin/synthetic-decays/run-row.js';
export { tinyPreset } from './builtin/tiny.js';
export { trainExperiment } from './builtin/train-experiment.js';
export {
  type CurveMetric,
  comparisonFolder,
  curveMetrics,
  datasetName,
  trainRunsFile,
} from './builtin/wikitext2-comparison/run-row.js';
export {
  plotVarianceBands,
  type VarianceBandFiles,
  type VarianceBandOptions,
} from './builtin/wikitext2-comparison/variance-bands.js';
export { checkTrainConfig } from './config/check-train-config.js';
export { type CommonParams, commonParams } from './config/common-params.js';
export { parseIntegers } from './config/integer-list.js';
export { getPath, isPlainObject, mergeLayers, setPath } from './config/layers.js';
export { parseConfig } from './config/parse-config.js';
export { configJsonSchema, parseFlagValue, type SchemaFlag, schemaFlags } from './config/schema-flags.js';
export { parseSeeds } from './config/seeds.js';
export { type TrainConfig, type TrainConfigInput, trainConfigSchema } from './config/train-config.js';
export { formatYaml, type PlainObject, parseYaml, readYamlFile } from './config/yaml-file.js';
export {
  analysisParams,
  breathe,
  figurePath,
  seedList,
  writeRunFigures,
  writeSharedFigure,
} from './experiment/analysis.js';
export {
  defineExperiment,
  type Experiment,
  type ExperimentContext,
  type ExperimentDefinition,
  type ExperimentOutcome,
  type ParamsSchema,
} from './experiment/define.js';
export { ExperimentRegistry } from './experiment/registry.js';
export type { Check, ExperimentResult, Findings } from './experiment/result.js';
export {
  checkParams,
  type RunExperimentOptions,
  type RunOutcome,
  resumeExperiment,
  runExperiment,
} from './experiment/run-experiment.js';
export { powerLawExponent, type Summary, summarize, summarizeValues } from './experiment/statistics.js';
export { studentCdf, studentQuantile } from './experiment/student-t.js';
export {
  type HeatMapFigureData,
  type HeatMapMatrix,
  type HeatMapPanel,
  heatMapFigure,
} from './figures/heat-map-figure.js';
export {
  type BandPoint,
  type BandSeries,
  type FigureAxis,
  type GuideLine,
  type LineFigureData,
  lineFigure,
} from './figures/line-figure.js';
export {
  type LossFigureData,
  type LossPoint,
  lossFigure,
  type ReferenceLine,
} from './figures/loss-figure.js';
export { palette, seriesColours, seriesShapes } from './figures/palette.js';
export {
  type FigureFiles,
  renderPng,
  renderSvg,
  writeFigure,
  writeFigureFile,
} from './figures/render-figure.js';
export { renderPdf } from './figures/render-pdf.js';
export { type FigureTitle, figureFrame } from './figures/theme.js';
export { MetricLog, type MetricRow, readMetrics } from './metrics/metric-log.js';
export type { ScalarEvent } from './metrics/tensorboard-event.js';
export { TensorBoardWriter } from './metrics/tensorboard-writer.js';
export { chooseDevice } from './runs/choose-device.js';
export {
  type BackendIdentity,
  backendIdentity,
  describeEnvironment,
  type Environment,
} from './runs/environment.js';
export { type ObservedStatus, Run } from './runs/run.js';
export type { RunRecord, RunStatus } from './runs/run-record.js';
export { type NewRun, RunStore } from './runs/run-store.js';
export { checkLogs, type LogReport } from './study/check-logs/check-logs.js';
export type { ClaimRule, ClaimRules, RuleBreach } from './study/check-logs/claim-rules.js';
export { formatFinding, type LogFinding, type LogRule } from './study/check-logs/finding.js';
export { type GridAxes, type GridCell, planGrid, type RepeatOptions } from './study/grid/grid-plan.js';
export type { LogRecord } from './study/grid/log-record.js';
export {
  type GridOptions,
  type GridResult,
  type GridRun,
  type GridStart,
  runGrid,
} from './study/grid/run-grid.js';
export { entryJson, type ReproduceOptions, type Reproduction, reproduceStudy } from './study/reproduce.js';
export { runStudy, type StudyEntry, type StudyRunOptions } from './study/run-study.js';
export { planSsdDualityGrid, type SsdDualityAxes } from './study/ssd-duality/grid.js';
export { ssdDualityRules } from './study/ssd-duality/rules.js';
export { ssdDuality, studies } from './study/ssd-duality/ssd-duality.js';
export { type Correction, type Study, selectExperiments, shortName } from './study/study.js';
export { type Checkpoint, readCheckpoint } from './train/checkpoint.js';
export type { CheckpointHeader, CheckpointState } from './train/checkpoint-state.js';
export { evaluateLastPosition, type LastPositionEvaluation } from './train/epochs/last-position.js';
export {
  type EpochResult,
  type EpochTraining,
  type EpochTrainingOptions,
  trainEpochs,
} from './train/epochs/train-epochs.js';
export { type TrainManyOptions, trainMany } from './train/epochs/train-many.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './train/evaluate.js';
export type * from './train/events.js';
export {
  isTrained,
  isTrainedOnText,
  type OpenModelOptions,
  openTrainedModel,
  type TrainedModel,
} from './train/open-trained-model.js';
export { type TrainContext, train } from './train/train.js';
export { type LoadOptions, loadTrainData, type SampleSet, type TrainData } from './train/train-data.js';
