/** What hostile callers do to a call in order. Each takes the options object and what it is made of, and spoils it. */

const hostileNumbers = [
  -1,
  0,
  1,
  2,
  3,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -(2 ** 53),
  Number.MAX_VALUE,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
];
const hostileValues = [
  null,
  undefined,
  0,
  1,
  Number.NaN,
  '',
  'x',
  true,
  [],
  {},
  () => 0,
  Symbol.iterator,
  10n,
  new Date(0),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  { data: null, shape: null },
  { data: [], shape: [0] },
  new Float32Array(4),
];

const pick = (random, list) => list[Math.floor(random() * list.length)];
const tensorKeys = (options) =>
  Object.keys(options).filter(
    (key) => options[key] !== null && typeof options[key] === 'object' && 'data' in options[key],
  );
const arrayOf = (tensor) => (ArrayBuffer.isView(tensor.data) ? tensor.data : tensor.data?.data);

/** Applies `change` to a tensor of the call, if there is one. */
const onTensor = (change) => (options, random) => {
  const key = pick(random, tensorKeys(options));
  if (key !== undefined) options[key] = change({ ...options[key] }, random, options) ?? options[key];
};

export const mutations = {
  dropAnOption: (options, random) => delete options[pick(random, Object.keys(options))],
  strangeOption: (options, random) => {
    options[pick(random, Object.keys(options))] = pick(random, hostileValues);
  },
  unknownOption: (options, random) => {
    options[pick(random, ['x1', '__proto__x', 'constructor', 'toString', 'seqidx', '0'])] = 1;
  },
  strangeNumber: (options, random) => {
    options[
      pick(random, ['chunkSize', 'dtLimit', 'reverse', 'deltaSoftplus', 'layout', 'backend', 'activation'])
    ] = pick(random, [
      ...hostileNumbers,
      'bdl',
      'silu',
      [1, 0],
      [Number.NaN, 1],
      'cuda',
      'reference',
      'auto',
    ]);
  },
  shapeEntry: onTensor((tensor, random) => {
    const shape = [...tensor.shape];
    shape[Math.floor(random() * (shape.length + 1))] = pick(random, hostileNumbers);
    return { ...tensor, shape };
  }),
  shapeRank: onTensor((tensor, random) => ({
    ...tensor,
    shape: random() < 0.5 ? tensor.shape.slice(1) : [1, ...tensor.shape],
  })),
  strides: onTensor((tensor, random) => {
    const strides = tensor.shape.map(() =>
      pick(random, [0, 1, 2, -1, 5, 2 ** 31, -(2 ** 31), 2 ** 52, 0.5, Number.NaN]),
    );
    return { ...tensor, strides };
  }),
  offset: onTensor((tensor, random) => ({ ...tensor, offset: pick(random, hostileNumbers) })),
  dtype: onTensor((tensor, random) => ({
    ...tensor,
    dtype: pick(random, ['f32', 'f64', 'f16', 'bf16', 'i32', 'u8', 'c64', 'c128', 'f8', 5, null]),
  })),
  otherArray: onTensor((tensor, random) => ({
    ...tensor,
    data: pick(
      random,
      [Int8Array, Uint8Array, Int32Array, Float32Array, Float64Array, BigInt64Array, Uint16Array].map(
        (Type) => new Type(arrayOf(tensor)?.length ?? 3),
      ),
    ),
  })),
  shortArray: onTensor((tensor, random) => ({
    ...tensor,
    data: arrayOf(tensor)?.subarray(0, Math.floor(random() * 12)),
  })),
  sharedMemory: (options, random) => {
    const [a, b] = [pick(random, tensorKeys(options)), pick(random, tensorKeys(options))];
    if (a !== undefined) options[a] = { ...options[a], data: options[b].data, offset: options[b].offset };
  },
  detached: onTensor((tensor) => {
    const data = arrayOf(tensor)?.slice();
    if (data !== undefined) structuredClone(data.buffer, { transfer: [data.buffer] });
    return { ...tensor, data };
  }),
  shrunk: onTensor((tensor, random) => {
    const from = arrayOf(tensor);
    if (from === undefined) return tensor;
    const buffer = new ArrayBuffer(from.byteLength, { maxByteLength: 2 * from.byteLength + 8 });
    const data = new from.constructor(buffer);
    data.set(from);
    buffer.resize(Math.floor(random() * from.byteLength));
    return { ...tensor, data };
  }),
  grown: onTensor((tensor, random) => {
    const from = arrayOf(tensor);
    if (from === undefined) return tensor;
    const buffer = new ArrayBuffer(from.byteLength, { maxByteLength: 2 * from.byteLength + 8 });
    const data = new from.constructor(buffer, 0, from.length);
    data.set(from);
    buffer.resize(from.byteLength + Math.floor(random() * from.byteLength));
    return { ...tensor, data };
  }),
  disposed: onTensor((tensor) => {
    if (typeof tensor.data?.dispose === 'function') tensor.data.dispose();
    return tensor;
  }),
  throwingGetter: (options, random) => {
    const key = pick(random, Object.keys(options));
    Object.defineProperty(options, key, {
      enumerable: true,
      configurable: true,
      get() {
        throw new TypeError('of the caller');
      },
    });
  },
  throwingField: onTensor((tensor, random) =>
    Object.defineProperty(tensor, pick(random, ['data', 'shape', 'strides', 'offset', 'dtype']), {
      enumerable: true,
      get() {
        throw new TypeError('of the caller');
      },
    }),
  ),
  changingField: onTensor((tensor, random, options) => {
    let asked = 0;
    const other = options[pick(random, tensorKeys(options))];
    const field = pick(random, ['data', 'shape']);
    const first = tensor[field];
    return Object.defineProperty(tensor, field, {
      enumerable: true,
      get: () => (asked++ === 0 ? first : other?.[field]),
    });
  }),
  lyingShape: onTensor((tensor) => {
    const shape = [...tensor.shape];
    shape.map = () => [2 ** 40, 2 ** 40];
    shape[Symbol.iterator] = function* () {
      yield 2 ** 31;
    };
    return { ...tensor, shape };
  }),
  fakeBuffer: onTensor((tensor) => ({
    ...tensor,
    data: {
      device: 'cpu',
      dtype: 'f32',
      length: 2 ** 40,
      data: arrayOf(tensor),
      disposed: false,
      dispose() {},
    },
  })),
  wrongIndices: (options, random) => {
    const key = [
      'cuSeqlens',
      'seqIdx',
      'lengths',
      'stateBatchIndices',
      'convStateIndices',
      'cacheSeqlens',
    ].find((name) => options[name] !== undefined);
    const data = key === undefined ? undefined : arrayOf(options[key]);
    if (data instanceof Int32Array && data.length > 0)
      data[Math.floor(random() * data.length)] = pick(random, [-1, -(2 ** 31), 2 ** 31 - 1, 1000, 3]);
  },
};

export const mutationNames = Object.keys(mutations);
export { hostileNumbers, hostileValues };
