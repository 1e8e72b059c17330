/* Clips loaded before they are needed: the one that is shown and those that follow, whole and in memory. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
// So often a fault of the network or the server stays untold.
const TRIES_UNTOLD = 3;
// A connection that brings nothing for so long is dead.
const SILENCE_MS = 15_000;
const TEMPORARY = new Set([408, 425, 429]);

class LoadFailure extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.isFinal = status >= 400 && status < 500 && !TEMPORARY.has(status);
  }
}

class ClipAhead {
  /** Loads once `turn` has come. `onChange()` is called when `url` or `failure` has changed. */
  constructor(address, turn, onChange) {
    this.address = address;
    this.url = null; // of the loaded clip
    this.failure = null; // why there is none yet
    this.onChange = onChange;
    this.dropped = new AbortController();
    this.firstTry = turn.then(() => this.#try());
    this.firstTry.then(() => this.#tryAgain());
  }

  drop() {
    this.dropped.abort();
    if (this.url) {
      URL.revokeObjectURL(this.url);
    }
  }

  get #isOver() {
    return this.url || this.dropped.signal.aborted || this.error?.isFinal;
  }

  async #tryAgain() {
    let tries = 1;
    for (let wait = FIRST_WAIT_MS; !this.#isOver; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      await pause(wait);
      if (!this.#isOver) {
        tries += 1;
        await this.#try(tries >= TRIES_UNTOLD);
      }
    }
  }

  async #try(isTold = false) {
    if (this.#isOver) {
      return;
    }
    try {
      const blob = await load(this.address, this.dropped.signal);
      if (!this.dropped.signal.aborted) {
        this.url = URL.createObjectURL(blob);
        this.failure = null;
        this.onChange();
      }
    } catch (error) {
      this.error = error;
      if (!this.dropped.signal.aborted && (isTold || error.isFinal)) {
        this.failure = { kind: "load", text: String(error.message) };
        this.onChange();
      }
    }
  }
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

async function load(address, dropped) {
  const limit = new AbortController();
  const end = () => limit.abort();
  dropped.addEventListener("abort", end);
  let timer = setTimeout(end, SILENCE_MS);
  try {
    const response = await fetch(address, { credentials: "same-origin", signal: limit.signal });
    if (!response.ok) {
      throw new LoadFailure(response.status);
    }
    const parts = [];
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
      parts.push(part.value);
    }
    return new Blob(parts, { type: response.headers.get("Content-Type") ?? "" });
  } finally {
    clearTimeout(timer);
    dropped.removeEventListener("abort", end);
  }
}

/** Fires "change" when a clip has come or failed. */
export class ClipsAhead extends EventTarget {
  #clips = new Map(); // by address

  /** Loads these, in this order, and drops all others. */
  want(addresses) {
    for (const [address, clip] of this.#clips) {
      if (!addresses.includes(address)) {
        clip.drop();
        this.#clips.delete(address);
      }
    }
    let turn = Promise.resolve();
    for (const address of addresses) {
      if (!this.#clips.has(address)) {
        this.#clips.set(address, new ClipAhead(address, turn, () => this.dispatchEvent(new Event("change"))));
      }
      // The one that is needed first has the line to itself.
      turn = this.#clips.get(address).firstTry;
    }
  }

  get(address) {
    return this.#clips.get(address);
  }

  /** Loads one anew, past what failed. */
  reload(address) {
    this.get(address)?.drop();
    this.#clips.set(address, new ClipAhead(address, Promise.resolve(), () => this.dispatchEvent(new Event("change"))));
  }
}
