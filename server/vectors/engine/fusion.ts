/** Damps how much more the first places count: the customary value. */
const K = 60;

/** Reciprocal rank fusion: keys of several ranked lists, best first. */
export function fuse(lists: readonly (readonly number[])[]): number[] {
  const scores = new Map<number, number>();
  for (const list of lists) {
    for (const [index, key] of list.entries()) {
      scores.set(key, (scores.get(key) ?? 0) + 1 / (K + index + 1));
    }
  }
  return [...scores].toSorted(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b).map(([key]) => key);
}
