/* What this tab saw saved since its page was loaded. A reload may have been answered just before the server had the last
   score: the page that comes then still shows the pair that was rated, and knows by these marks that it is stale. */

const KEY = "earmark.saved";

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // No storage in this browser: the server tells then that the pair was rated before.
  }
}

export function markSaved(assignment) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...read(), assignment]));
  } catch {
    // As above.
  }
}

/** Whether `pairs` hold one that was seen saved. Asking takes the marks away, so that nobody loads again for ever. */
export function takeStale(pairs) {
  const saved = new Set(read());
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
  return pairs.some((pair) => saved.has(pair.assignment));
}
