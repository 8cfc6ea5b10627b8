/** "Did you mean": the known word nearest to a mistyped one. */

/** Levenshtein distance with neighbouring transpositions (optimal string alignment), case-insensitive. */
export function editDistance(left: string, right: string): number {
  const a = left.toLowerCase();
  const b = right.toLowerCase();
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i <= a.length; i++) table[i * width] = i;
  for (let j = 0; j <= b.length; j++) table[j] = j;
  const at = (i: number, j: number): number => table[i * width + j] as number;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(i - 2, j - 2) + 1);
      table[i * width + j] = best;
    }
  }
  return at(a.length, b.length);
}

/**
 * The candidate nearest to `word`, or undefined when none is near enough to be a plausible slip:
 * at most a third of the longer word may differ, and one letter always may. A word that is part of a candidate
 * (`layers` in `numLayers`) counts as near too.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let found: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= allowed && distance < least) {
      least = distance;
      found = candidate;
    }
  }
  if (found !== undefined || word.length < 3) return found;
  return candidates.find((candidate) => candidate.toLowerCase().includes(word.toLowerCase()));
}
