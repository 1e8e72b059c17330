/* What was heard of a clip: the union of the ranges that were played. */

// As on the server: heard means this share of the clip, less what players round off.
const HEARD_SHARE = 0.95;
const ROUNDING_S = 0.05;

/** The ranges without overlaps, ascending. */
export function union(ranges) {
  const merged = [];
  for (const [start, end] of ranges.map((range) => [...range]).sort((one, other) => one[0] - other[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) {
      last[1] = Math.max(last[1], end);
    } else {
      merged.push([start, end]);
    }
  }
  return merged;
}

export function seconds(ranges) {
  return union(ranges).reduce((sum, [start, end]) => sum + end - start, 0);
}

export function isWhole(heardS, durationS) {
  return heardS >= HEARD_SHARE * durationS - ROUNDING_S;
}

/** A media element's TimeRanges as pairs of seconds. */
export function rangesOf(timeRanges) {
  return Array.from({ length: timeRanges.length }, (_, index) => [timeRanges.start(index), timeRanges.end(index)]);
}
