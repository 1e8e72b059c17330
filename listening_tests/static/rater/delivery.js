/* One entry of the outbox on its way to the server: a single request, and what its answer means. */

import { gettext, interpolate } from "./words.js";

const ATTEMPT_MS = 20_000;
// A clock that was set right in between may claim more; no rating is refused for that.
const LONGEST_WAITED_S = 365 * 24 * 3600;

export const SAVED = "saved";
export const KNOWN_BEFORE = "known before";
export const REFUSED = "refused";
export const NOT_OURS = "not ours";
export const WITHDRAWN = "withdrawn";
export const TRY_AGAIN = "try again";

const MEANINGS = { 200: SAVED, 201: SAVED, 400: REFUSED, 403: NOT_OURS, 409: KNOWN_BEFORE, 410: WITHDRAWN, 422: REFUSED };

/** Read anew at every attempt, for it may change under an open page, as when somebody signs in. */
function csrfCookie() {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1];
}

/** Seconds since it was given, by a clock that may have been set in between. */
function waitedS(entry) {
  return Math.min(LONGEST_WAITED_S, Math.max(0, (Date.now() - entry.givenAt) / 1000));
}

function request(entry, csrfToken, signal) {
  return fetch(entry.url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfCookie() ?? csrfToken },
    body: JSON.stringify({ ...entry.body, waited_s: waitedS(entry) }),
    credentials: "same-origin",
    keepalive: true, // goes on while the page is left
    signal,
  });
}

function notLetIn(status) {
  return interpolate(gettext("This browser was not let in (error %(status)s). Reload the page to go on."), { status });
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function meaningOf(entry, status, body) {
  if (body?.sitting && body.sitting !== entry.sitting) {
    // Another rater uses this browser by now, and the server answered to them.
    return NOT_OURS;
  }
  const meaning = status === 404 && body?.error ? REFUSED : (MEANINGS[status] ?? TRY_AGAIN);
  // A page of somebody else's, such as a hotel's sign-in, is no word of ours.
  const isAnswered = meaning === SAVED ? typeof body?.saved === "number" : meaning === NOT_OURS || Boolean(body?.error);
  return isAnswered ? meaning : TRY_AGAIN;
}

/** Resolves to `{meaning, state, sentence}`; never rejects. `csrfToken` is the page's, for browsers that hide cookies. */
export async function deliver(entry, csrfToken) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ATTEMPT_MS);
  try {
    const response = await request(entry, csrfToken, limit.signal);
    const body = await readJson(response);
    const meaning = meaningOf(entry, response.status, body);
    return { meaning, state: meaning === SAVED ? body : body?.state, sentence: body?.error ?? notLetIn(response.status) };
  } catch {
    return { meaning: TRY_AGAIN };
  } finally {
    clearTimeout(timer);
  }
}
