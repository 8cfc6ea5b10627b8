/**
 * The least time each kernel could take on this machine, in seconds, from rates that were measured in the same run:
 * `fmaGflops` (two operations an FMA), `triadGBs` and `streamTriadGBs` (12 bytes an element).
 *
 * Cycles are those of a core that begins two FMAs of full vector width in each: 64 operations with AVX-512. Counting
 * them at the measured FMA rate makes the limit that of every width and of cores that take a wide vector in two parts.
 */
const operationsPerCycle = 64;
const lanes = 16;

/** Cycles of one vector of states or of elements, each on a core to itself; docs/benchmarks.md has their origin. */
const cycles = {
  scanForward: 6.6 / lanes,
  scanBackward: 9.5 / lanes,
  softplus: 1.214,
  silu: 0.746,
  // With their derivatives.
  softplusBackward: 1.85,
  siluBackward: 1.14,
};

const cycleTime = ({ fmaGflops }) => operationsPerCycle / (fmaGflops * 1e9);

/** Selective scan: decay, state and output of every state; softplus of delta and the gate of every element. */
export function scanForwardLimit({ batch, seqLen, dim, dState, softplus = true, gate = true }, probes) {
  const elements = batch * seqLen * dim;
  const each = (softplus ? cycles.softplus : 0) + (gate ? cycles.silu : 0);
  return elements * (dState * cycles.scanForward + each) * cycleTime(probes);
}

/** Its gradients, the state known every 16 steps. */
export function scanBackwardLimit({ batch, seqLen, dim, dState, softplus = true, gate = true }, probes) {
  const elements = batch * seqLen * dim;
  const each = (softplus ? cycles.softplusBackward : 0) + (gate ? cycles.siluBackward : 0);
  return elements * (dState * cycles.scanBackward + each) * cycleTime(probes);
}

/** Convolution: its compulsory traffic; forward x and out, backward x, gradOut and gradX. */
export function convForwardLimit({ batch, seqLen, dim }, { streamTriadGBs }) {
  return (8e-9 * batch * seqLen * dim) / streamTriadGBs;
}

export function convBackwardLimit({ batch, seqLen, dim }, { streamTriadGBs }) {
  return (12e-9 * batch * seqLen * dim) / streamTriadGBs;
}

/** The chunk whose lower triangle is counted as useful. */
const ssdChunk = 32;

/**
 * SSD: for each step and head two products with the state (2 P N each) and the lower triangle over x (Q P); for each
 * step and group that of C with B (Q N); the gate of every element.
 */
export function ssdForwardLimit({ batch, seqLen, heads, headDim, dState, groups, gate = false }, probes) {
  const perHead = 4 * headDim * dState + ssdChunk * headDim;
  const flops = batch * seqLen * (heads * perHead + groups * ssdChunk * dState);
  const gates = gate ? batch * seqLen * heads * headDim * cycles.silu : 0;
  return flops / (probes.fmaGflops * 1e9) + gates * cycleTime(probes);
}

/**
 * Its gradients: products with the state for dx, dB, dC, for the adjoint state and for the state itself, which is
 * rebuilt (10 P N); triangles of dy with x and over dx (2 Q P); for each group those of C with B, over dB and over dC
 * (3 Q N), since heads that share B and C can be summed before. A gate needs the output before it once more: a product
 * with the state and a triangle over x (2 P N + Q P).
 */
export function ssdBackwardLimit({ batch, seqLen, heads, headDim, dState, groups, gate = false }, probes) {
  const again = gate ? 2 * headDim * dState + ssdChunk * headDim : 0;
  const perHead = 10 * headDim * dState + 2 * ssdChunk * headDim + again;
  const flops = batch * seqLen * (heads * perHead + 3 * groups * ssdChunk * dState);
  const gates = gate ? batch * seqLen * heads * headDim * cycles.siluBackward : 0;
  return flops / (probes.fmaGflops * 1e9) + gates * cycleTime(probes);
}

/** One-token updates: the state once in and once out, 1.3 times over, or 20 microseconds a call. */
export function updateLimit({ states }, { triadGBs }) {
  return Math.max(1.3 * ((8e-9 * states) / triadGBs), 20e-6);
}
