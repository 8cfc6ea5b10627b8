/** One case of the public API: build, spoil, call, and judge what came of it. */
import * as api from '@statespace/native-scan';
import fc from 'fast-check';
import { mutationNames, mutations } from './mutations.mjs';
import { numbers, realise, sentinel } from './tensors.mjs';
import { validCall } from './valid-calls.mjs';

const publicCalls = new Map(Object.entries(api));
const disturbances = ['dispose', 'transfer', 'abort', 'rewrite'];

export const publicCase = fc.record({
  drawn: validCall,
  spoil: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 5, arbitrary: fc.array(fc.constantFrom(...mutationNames), { minLength: 1, maxLength: 2 }) },
  ),
  disturb: fc.option(fc.constantFrom(...disturbances), { nil: undefined }),
});

const capital = (name) => name[0].toUpperCase() + name.slice(1);

/** Names of the gradients of a call's inputs, and their descriptions. */
function gradientsOf({ inputs }) {
  const entries = Object.entries(inputs).filter(([, value]) => value?.kind === 'tensor');
  return Object.fromEntries(entries.map(([name, value]) => [`grad${capital(name)}`, value]));
}

function build({ call, backward, own, forms, seed }) {
  const random = numbers(seed);
  const fill = ({ low = -1, high = 1 }) => low + (high - low) * random();
  const parts = { inputs: [], outputs: [], states: [] };
  const options = {};
  let place = 0;
  const add = (name, description, role) => {
    // Parameters and states are read as they lie; outputs without a length are contiguous.
    const form = forms[place++ % forms.length];
    const spread = role !== 'outputs' || isSequence(name, description);
    const made = realise(
      description,
      spread || form === 'shared' || form === 'device' ? form : 'offset',
      role === 'outputs' ? () => sentinel : fill,
    );
    parts[description.inPlace ? 'states' : role].push({ name, ...made });
    options[name] = made.tensor;
  };
  for (const [name, value] of Object.entries({ ...call.inputs, ...(backward ? call.upstream : {}) })) {
    if (value?.kind === undefined) options[name] = value;
    else add(name, value, 'inputs');
  }
  const outputs = Object.entries(backward ? gradientsOf(call) : call.outputs);
  for (const [i, [name, description]] of outputs.entries())
    if (own.includes(i)) add(name, description, 'outputs');
  return { options, parts, random };
}

/** Outputs that may have strides: those with a length. */
const withLength = /^(out|grad(U|Delta|Z|X|Dt))$/;
const isSequence = (name, { shape }) =>
  withLength.test(name) ||
  (/^grad[BC]$/.test(name) && shape.length >= 4 - (shape.at(-1) === 2 ? 0 : 1) && shape.length > 2);

const snapshot = (parts) => parts.map(({ array }) => (array.length === 0 ? array : array.slice()));
const unchanged = (part, before) =>
  part.array.length === before.length && part.array.every((value, i) => Object.is(value, before[i]));

/** Whether `error` is one that callers are promised, or their own. */
function isPromised(error) {
  return (
    (error instanceof api.StatespaceError && typeof error.code === 'string') ||
    (error instanceof TypeError && error.message === 'of the caller')
  );
}

function checkResults({ options, parts }, result, call, backward) {
  for (const part of parts.outputs) {
    const inside = new Set(part.entries);
    for (let at = 0; at < part.array.length; at++) {
      const untouched = part.array[at] === part.mark;
      if (inside.has(at) === untouched)
        throw new Error(
          `${part.name}: element ${at} ${untouched ? 'was not written' : 'lies outside and was written'}`,
        );
    }
  }
  for (const [name, tensor] of Object.entries(result)) {
    if (
      options[name] !== undefined &&
      options[name].data !== tensor.data &&
      options[name].data.data !== tensor.data
    )
      throw new Error(`${name}: not the array that was given`);
    for (const value of tensor.data)
      if (Number.isNaN(value)) throw new Error(`${name}: NaN from finite inputs`);
  }
  const wanted = backward ? Object.keys(gradientsOf(call)) : ['out'];
  for (const name of wanted) if (result[name] === undefined) throw new Error(`${name}: missing`);
}

/** The memory of an option, and the array behind it where it is a buffer; nothing where reading it fails. */
function memoryOf(options, name) {
  try {
    const data = options[name]?.data;
    return [data, data?.data];
  } catch {
    return [];
  }
}

/** Detaches `buffer`, unless it cannot be: shared memory, and memory of the addon, stay. */
function transferAway(buffer) {
  if (!(buffer instanceof ArrayBuffer)) return;
  try {
    structuredClone(buffer, { transfer: [buffer] });
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** What a caller might do while an asynchronous call runs. */
function disturbNow(kind, { parts }, controller) {
  const every = [...parts.inputs, ...parts.outputs, ...parts.states];
  if (kind === 'abort') controller.abort();
  for (const part of every) {
    if (kind === 'dispose') part.dispose();
    // A mutation may have detached it already.
    if (part.array.length === 0) continue;
    if (kind === 'transfer') transferAway(part.array.buffer);
    if (kind === 'rewrite' && part.array instanceof Int32Array) part.array.fill(2 ** 30);
  }
}

/** Whether the call gave a result. @throws when the case does not end as promised. */
export async function runPublic({ drawn, spoil, disturb }) {
  const built = build(drawn);
  const { call, backward, async } = drawn;
  const name = `${call.op}${backward ? 'Backward' : ''}${async ? 'Async' : ''}`;
  const controller = new AbortController();
  if (async && disturb === 'abort') built.options.signal = controller.signal;
  try {
    for (const mutation of spoil) mutations[mutation](built.options, built.random);
  } catch {
    // Mutations may trip over one another; what they have done until then is hostile enough.
  }
  const kept = [...built.parts.inputs, ...built.parts.outputs];
  const before = snapshot(kept);
  let result;
  let failure;
  try {
    const answer = publicCalls.get(name)(built.options);
    if (async && disturb !== undefined) disturbNow(disturb, built, controller);
    result = await answer;
  } catch (error) {
    failure = error;
  }
  const quiet = !async || disturb === undefined;
  if (failure !== undefined && !isPromised(failure)) throw failure;
  if (failure !== undefined && spoil.length === 0 && quiet) throw failure;
  if (quiet) {
    // Memory that the caller named as an output too is the caller's own business, where it is not refused.
    const written = [...built.parts.outputs, ...built.parts.states];
    const named = new Set(written.flatMap((part) => memoryOf(built.options, part.name)));
    const inputs = built.parts.inputs.filter(
      (part) => !named.has(part.tensor.data) && !named.has(part.array),
    );
    const same = failure === undefined ? inputs : kept;
    for (const part of same) {
      const i = kept.indexOf(part);
      if (part.array.length > 0 && !unchanged(part, before[i]))
        throw new Error(`${part.name}: changed by ${failure === undefined ? 'a call' : 'a refused call'}`, {
          cause: failure,
        });
    }
  }
  if (failure === undefined && spoil.length === 0 && quiet) checkResults(built, result, call, backward);
  for (const part of kept) part.dispose();
  for (const part of built.parts.states) part.dispose();
  return failure === undefined;
}
