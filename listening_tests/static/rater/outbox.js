/* Ratings on their way to the server. One that was given is kept in this browser until the server has answered for it,
   and sent again, letter by letter the same, as often as that takes. */

const ATTEMPT_MS = 20_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
// Answers that speak of this moment and not of the rating.
const TEMPORARY = new Set([408, 425, 429]);

/** A random UUID (version 4). crypto.randomUUID is missing on pages over plain http. */
export function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Waits, but not past the moment at which the network comes back. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
  });
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

export class Outbox {
  /** `url` takes the ratings; `sitting` sets apart what this browser keeps for other raters and other tests. */
  constructor({ url, sitting, csrfToken }) {
    this.url = url;
    this.sitting = sitting;
    this.csrfToken = csrfToken;
    this.prefix = `earmark.rating ${sitting} `;
    this.memory = new Map();
  }

  /** Keeps a rating until it is delivered. */
  keep(rating) {
    this.memory.set(rating.assignment, rating);
    try {
      localStorage.setItem(this.prefix + rating.assignment, JSON.stringify(rating));
    } catch {
      // No storage in this browser: the page itself keeps the rating as long as it is open.
    }
  }

  forget(rating) {
    this.memory.delete(rating.assignment);
    try {
      localStorage.removeItem(this.prefix + rating.assignment);
    } catch {
      // As above.
    }
  }

  /** What was given and not yet acknowledged, here or before the page was loaded again. */
  waiting() {
    const found = new Map(this.memory);
    try {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith(this.prefix))) {
        const rating = JSON.parse(localStorage.getItem(key));
        found.set(rating.assignment, rating);
      }
    } catch {
      // As above.
    }
    return [...found.values()];
  }

  /** Sends until the server has answered. Resolves to `{answer}` where it is saved, to `{sentence}` where it was
      refused; `onRetry` is called before each wait. */
  async deliver(rating, onRetry = () => {}) {
    this.keep(rating);
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const response = await this.#attempt(rating);
      if (response) {
        return this.#settle(rating, response);
      }
      onRetry();
      await pause(wait);
    }
  }

  /** One request. Null where it must be repeated. */
  async #attempt(rating) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), ATTEMPT_MS);
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrfToken },
        body: JSON.stringify(rating),
        credentials: "same-origin",
        signal: limit.signal,
      });
      const body = await readJson(response);
      const isTemporary = response.status >= 500 || TEMPORARY.has(response.status) || (response.ok && !body);
      return isTemporary ? null : { status: response.status, body };
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  #settle(rating, { status, body }) {
    if (status === 200 || status === 201) {
      this.forget(rating);
      return { answer: body };
    }
    // Nobody's answer, or an answer to another rater who uses this browser by now: the rating waits for its own.
    const isForOther = status === 403 || (body?.sitting && body.sitting !== this.sitting);
    if (!isForOther) {
      this.forget(rating);
    }
    return { sentence: body?.error ?? `The score was not accepted (error ${status}). Reload the page to go on.` };
  }
}
