/** Arbitraries of calls that are in order: op by op, their tensors as descriptions that `tensors.mjs` makes real. */
import fc from 'fast-check';

const size = (max) =>
  fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max }) }, { weight: 1, arbitrary: fc.constant(0) });
const dtype = fc.oneof({ weight: 6, arbitrary: fc.constant('f32') }, fc.constantFrom('f64', 'f16', 'bf16'));
const maybe = (arbitrary) => fc.option(arbitrary, { nil: undefined });

const tensor = (shape, type, low = -1, high = 1) => ({ kind: 'tensor', shape, dtype: type, low, high });
const indices = (shape, values) => ({ kind: 'indices', shape, values });

/** One of the index inputs, fitting the sizes, or none. */
const sequences = ({ batch, seqLen }) =>
  fc
    .record({
      choice: fc.constantFrom('none', 'none', 'seqIdx', 'lengths', 'cuSeqlens'),
      seeds: fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
      reverse: maybe(fc.boolean()),
    })
    .map(({ choice, seeds, reverse }) => {
      const options = reverse === undefined ? {} : { reverse };
      if (choice === 'seqIdx') {
        const ids = Array.from({ length: batch * seqLen }, (_, i) => (seeds[Math.floor(i / 3) % 8] % 4) - 1);
        options.seqIdx = indices([batch, seqLen], ids);
      } else if (choice === 'lengths') {
        options.lengths = indices(
          [batch],
          Array.from({ length: batch }, (_, b) => seeds[b % 8] % (seqLen + 1)),
        );
      } else if (choice === 'cuSeqlens' && batch === 1) {
        const cuts = [seeds[0] % (seqLen + 1), seeds[1] % (seqLen + 1)].sort((a, b) => a - b);
        options.cuSeqlens = indices([4], [0, ...cuts, seqLen]);
      }
      return options;
    });

const stateRows = ({ cuSeqlens }, batch) => (cuSeqlens === undefined ? batch : cuSeqlens.values.length - 1);

const has = (flags, name, value) => (flags.includes(name) ? { [name]: value } : {});
const flagsOf = (...names) => fc.subarray(names);

const scan = fc
  .record({
    batch: size(3),
    seqLen: size(20),
    D: size(20),
    N: size(9),
    groups: fc.constantFrom(0, 1, 1, 2),
    type: dtype,
    wide: fc.boolean(),
    complex: fc.boolean(),
    flags: flagsOf('D', 'z', 'deltaBias', 'deltaSoftplus', 'initialState', 'gradLastState'),
  })
  .chain((s) => sequences(s).map((options) => ({ s, options })))
  .map(({ s, options }) => {
    const { batch, seqLen, N, groups, flags } = s;
    const D = groups === 2 ? 2 * s.D : s.D;
    const type = s.wide ? 'f64' : s.type;
    const parameter = s.wide ? 'f64' : 'f32';
    const complex = s.complex && (type === 'f32' || type === 'f64');
    const pair = complex ? [2] : [];
    const own = complex ? (s.wide ? 'c128' : 'c64') : parameter;
    const rows = stateRows(options, batch);
    const keeps = !complex && !s.wide && type !== 'f64' && options.seqIdx === undefined;
    const weights = groups === 0 ? [D, N] : groups === 1 ? [batch, seqLen, N] : [batch, seqLen, 2, N];
    const weightType = complex ? own : groups === 0 ? parameter : type;
    return {
      op: 'selectiveScan',
      inputs: {
        u: tensor([batch, seqLen, D], type),
        delta: tensor([batch, seqLen, D], type, 0.01, 0.5),
        A: tensor([D, N, ...pair], own, -2, -0.1),
        B: tensor([...weights, ...pair], weightType),
        C: tensor([...weights, ...pair], weightType),
        ...has(flags, 'D', tensor([D], parameter)),
        ...has(flags, 'z', tensor([batch, seqLen, D], type)),
        ...has(flags, 'deltaBias', tensor([D], parameter)),
        ...has(flags, 'deltaSoftplus', true),
        ...has(flags, 'initialState', tensor([rows, D, N, ...pair], own)),
        ...options,
      },
      upstream: {
        gradOut: tensor([batch, seqLen, D], type),
        ...has(flags, 'gradLastState', tensor([rows, D, N, ...pair], own)),
      },
      outputs: {
        out: tensor([batch, seqLen, D], type),
        lastState: tensor([rows, D, N, ...pair], own),
        ...(keeps && { checkpoints: tensor([chunkRows(options, batch, seqLen), N, D], 'f32') }),
      },
    };
  });

/** Rows of checkpoints. */
function chunkRows({ cuSeqlens }, batch, seqLen) {
  if (cuSeqlens === undefined) return batch * Math.ceil(seqLen / 16);
  return Math.floor(seqLen / 16) + cuSeqlens.values.length - 1;
}

const conv = fc
  .record({
    batch: size(3),
    seqLen: size(40),
    D: size(40),
    W: fc.integer({ min: 2, max: 9 }),
    type: dtype,
    wide: fc.boolean(),
    flags: flagsOf('bias', 'activation', 'initialStates', 'gradFinalStates'),
  })
  .chain((s) => sequences(s).map((options) => ({ s, options })))
  .map(({ s: { batch, seqLen, D, W, type: drawn, wide, flags }, options }) => {
    const type = wide ? 'f64' : drawn;
    const parameter = wide ? 'f64' : 'f32';
    const states = tensor([stateRows(options, batch), D, W - 1], parameter);
    return {
      op: 'causalConv1d',
      inputs: {
        x: tensor([batch, seqLen, D], type),
        weight: tensor([D, W], parameter),
        ...has(flags, 'bias', tensor([D], parameter)),
        ...has(flags, 'activation', 'silu'),
        ...has(flags, 'initialStates', states),
        ...options,
      },
      upstream: { gradOut: tensor([batch, seqLen, D], type), ...has(flags, 'gradFinalStates', states) },
      outputs: { out: tensor([batch, seqLen, D], type), finalStates: { ...states, dtype: type } },
    };
  });

const ssd = fc
  .record({
    op: fc.constantFrom('ssdChunkScan', 'ssdChunkScan', 'diagonalSsd'),
    batch: size(2),
    seqLen: size(40),
    heads: fc.constantFrom(0, 1, 2, 4),
    P: size(20),
    N: size(20),
    type: dtype,
    wide: fc.boolean(),
    chunk: maybe(fc.integer({ min: 1, max: 70 })),
    flags: flagsOf(
      'D',
      'z',
      'dtBias',
      'dtSoftplus',
      'dtLimit',
      'initialStates',
      'gradFinalStates',
      'perChannel',
      'twoGroups',
    ),
  })
  .chain((s) => sequences(s).map((options) => ({ s, options })))
  .map(({ s: { op, batch, seqLen, heads, P, N, type: drawn, wide, chunk, flags }, options }) => {
    const type = wide ? 'f64' : drawn;
    const parameter = wide ? 'f64' : 'f32';
    const G = flags.includes('twoGroups') && heads % 2 === 0 ? 2 : 1;
    const states = tensor([stateRows(options, batch), heads, P, N], parameter);
    const x = tensor([batch, seqLen, heads, P], type);
    return {
      op,
      inputs: {
        x,
        dt: tensor([batch, seqLen, heads], type, 0.01, 0.5),
        A: tensor(op === 'diagonalSsd' ? [heads, N] : [heads], parameter, -2, -0.1),
        B: tensor([batch, seqLen, G, N], type),
        C: tensor([batch, seqLen, G, N], type),
        ...has(flags, 'D', tensor(flags.includes('perChannel') ? [heads, P] : [heads], parameter)),
        ...has(flags, 'z', x),
        ...has(flags, 'dtBias', tensor([heads], parameter)),
        ...has(flags, 'dtSoftplus', true),
        ...has(flags, 'dtLimit', [0.05, 0.4]),
        ...has(flags, 'initialStates', states),
        ...(chunk === undefined ? {} : { chunkSize: chunk }),
        ...options,
      },
      upstream: { gradOut: x, ...has(flags, 'gradFinalStates', states) },
      outputs: { out: x, finalStates: { ...states, dtype: type } },
    };
  });

const stateUpdate = fc
  .record({
    batch: size(3),
    rows: fc.integer({ min: 3, max: 5 }),
    heads: size(4),
    P: size(5),
    N: size(20),
    type: dtype,
    wide: fc.boolean(),
    flags: flagsOf('D', 'z', 'dtBias', 'dtSoftplus', 'indices', 'mamba1'),
  })
  .map(({ batch, rows, heads, P, N, type, wide, flags }) => {
    const parameter = wide ? 'f64' : 'f32';
    const channels = flags.includes('mamba1') ? [heads] : [heads, P];
    return {
      op: 'selectiveStateUpdate',
      inputs: {
        state: { ...tensor([rows, ...channels, N], parameter), inPlace: true },
        x: tensor([batch, ...channels], type),
        dt: tensor([batch, ...channels], type, 0.01, 0.5),
        A: tensor([...channels, N], parameter, -2, -0.1),
        B: tensor([batch, 1, N], type),
        C: tensor([batch, 1, N], type),
        ...has(flags, 'D', tensor(channels, parameter)),
        ...has(flags, 'z', tensor([batch, ...channels], type)),
        ...has(flags, 'dtBias', tensor(channels, parameter)),
        ...has(flags, 'dtSoftplus', true),
        stateBatchIndices: indices(
          [batch],
          Array.from({ length: batch }, (_, b) => (b === 2 ? -1 : rows - 1 - b)),
        ),
      },
      outputs: { out: tensor([batch, ...channels], type) },
    };
  });

const convUpdate = fc
  .record({
    batch: size(3),
    seqLen: fc.integer({ min: 1, max: 3 }),
    D: size(40),
    W: fc.integer({ min: 2, max: 6 }),
    more: fc.nat(3),
    type: dtype,
    parameter: fc.constantFrom('f32', 'f64'),
    flags: flagsOf('bias', 'activation', 'ring'),
  })
  .map(({ batch, seqLen, D, W, more, type, parameter, flags }) => ({
    op: 'causalConv1dUpdate',
    inputs: {
      x: tensor([batch, seqLen, D], type),
      convState: { ...tensor([Math.max(batch, 1), D, W - 1 + more], parameter), inPlace: true },
      weight: tensor([D, W], parameter),
      ...has(flags, 'bias', tensor([D], parameter)),
      ...has(flags, 'activation', 'silu'),
      ...(flags.includes('ring')
        ? {
            cacheSeqlens: indices(
              [batch],
              Array.from({ length: batch }, (_, b) => 7 * b),
            ),
          }
        : {}),
      convStateIndices: indices(
        [batch],
        Array.from({ length: batch }, (_, b) => b),
      ),
    },
    outputs: { out: tensor([batch, seqLen, D], type) },
  }));

/** A call in order: op, direction, form, inputs, and which outputs the caller brings. */
export const validCall = fc
  .record({
    call: fc.oneof(scan, conv, ssd, stateUpdate, convUpdate),
    backward: fc.boolean(),
    async: fc.boolean(),
    own: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    forms: fc.array(fc.constantFrom('plain', 'plain', 'offset', 'spread', 'reversed', 'shared', 'device'), {
      minLength: 12,
      maxLength: 12,
    }),
    seed: fc.nat(1_000_000),
  })
  .map((drawn) => ({ ...drawn, backward: drawn.backward && drawn.call.upstream !== undefined }));
