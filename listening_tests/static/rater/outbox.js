/* The outbox of a sitting: what a rater gives is kept in this browser, and sent in order, one after the other, as often as
   it takes, until the server has answered for it. */

import { deliver, NOT_OURS, REFUSED, SAVED, TRY_AGAIN, WITHDRAWN } from "./delivery.js";
import { OutboxStore } from "./outbox_store.js";
import { markSaved } from "./saved_marks.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** A random UUID (version 4). crypto.randomUUID is missing on pages over plain http. */
export function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * Fires, as CustomEvents:
 * "change": how many wait has changed.
 * "given" {assignment}: another tab gave it.
 * "saved" {newest}: the server has it, from this tab or another; `newest` is its word on the sitting, if it said one.
 * "told" {sentence, newest, isRefused, isOver}: it was dropped for the reason told; where
 * `isOver` it waits for its own rater, and nothing more can be sent. "retry": an attempt failed. "withdrawn".
 */
export class Outbox extends EventTarget {
  #store = new OutboxStore();
  #isDelivering = false;
  #endWait = () => {};

  /** `sitting` sets apart what this browser keeps for other raters and other tests. */
  constructor({ sitting, csrfToken }) {
    super();
    this.sitting = sitting;
    this.csrfToken = csrfToken;
    this.entries = [];
    this.#listenToOtherTabs();
    addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  /** Reads what waits from earlier and sends it. */
  async open() {
    await this.#read();
    this.wake();
  }

  /** Resolves once it is kept for good; to false where the assignment's answer was given before, in another tab. The
      entry: `{kind, url, assignment, body}`, and `isCounted` where the saved count will grow by it. */
  async give(entry) {
    const isNew = await this.#store.add({ ...entry, sitting: this.sitting, givenAt: Date.now() });
    this.#post({ given: entry.assignment });
    await this.#read();
    this.wake();
    return isNew;
  }

  /** Tries at once, and not only when the wait is over. */
  wake() {
    this.#endWait();
    if (!this.#isDelivering && this.entries.length) {
      this.#deliverAll();
    }
  }

  async #deliverAll() {
    this.#isDelivering = true;
    let wait = FIRST_WAIT_MS;
    // Another tab may have delivered the first one meanwhile: look again before each attempt.
    for (await this.#read(); this.entries.length; await this.#read()) {
      const entry = this.entries[0];
      const answer = await deliver(entry, this.csrfToken);
      if (answer.meaning === NOT_OURS) {
        this.#fire("told", { sentence: answer.sentence, isOver: true });
        break;
      }
      if (answer.meaning === TRY_AGAIN) {
        this.#fire("retry");
        await this.#pause(wait);
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      } else {
        wait = FIRST_WAIT_MS;
        await this.#settle(entry, answer);
      }
    }
    this.#isDelivering = false;
  }

  async #settle(entry, { meaning, state, sentence }) {
    if (meaning === SAVED) {
      markSaved(entry.assignment);
    }
    const settled = meaning === WITHDRAWN ? this.entries : [entry];
    for (const each of settled) {
      await this.#store.forget(each);
    }
    await this.#read();
    if (meaning === WITHDRAWN) {
      this.#fire("withdrawn");
    } else if (meaning === SAVED) {
      this.#fire("saved", { newest: state });
    } else {
      this.#fire("told", { sentence, newest: state, isRefused: meaning === REFUSED });
    }
    this.#post({ settled: entry.assignment, newest: state });
  }

  async #read() {
    this.entries = await this.#store.waiting(this.sitting);
    this.#fire("change");
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listenToOtherTabs() {
    if (typeof BroadcastChannel === "undefined") {
      return; // The server then tells a tab that it comes second.
    }
    this.channel = new BroadcastChannel(`earmark ${this.sitting}`);
    this.channel.onmessage = async ({ data }) => {
      await this.#read();
      if (data.given) {
        this.#fire("given", { assignment: data.given });
      }
      if (data.settled) {
        this.#fire("saved", { newest: data.newest });
      }
    };
  }

  #post(message) {
    this.channel?.postMessage(message);
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
