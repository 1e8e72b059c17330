/* Measures, as performance entries named "gap", the time from Next to a clip that can be played. */

let startedAt = null;

export function gapBegins() {
  startedAt = performance.now();
}

export function gapEnds() {
  if (startedAt !== null) {
    performance.measure("gap", { start: startedAt, end: performance.now() });
    startedAt = null;
  }
}

/** Nobody waits for a clip now. */
export function gapIsForgotten() {
  startedAt = null;
}
