/* An answer that is a mark on a line. There is no mark until the rater sets one: by a touch anywhere on the line, by the
   keys that move a slider, by typing the number, or by a screen reader's gesture.

   Underneath is the browser's own slider, which screen readers know best. It takes no touches: those it would act upon
   while somebody only scrolls past. */

import { gettext } from "../words.js";
import { TypedValue } from "./typed.js";

const UNSET_ALOUD = gettext("No mark is set yet.");
// What a key moves the mark by, as a part of the line.
const SMALL = 0.01;
const LARGE = 0.1;
// A mark is as fine as this part of the line, which is finer than a finger.
const FINEST = 0.001;
// A finger that moved less may still want to scroll.
const SCROLL_PX = 6;

export class Line {
  #input;
  #area;
  #shown;
  #gesture = null;
  #typed;

  /** `root`: a fieldset with `data-question` and, for a line with steps, `data-step`. */
  constructor(root) {
    this.root = root;
    this.name = root.dataset.question;
    this.value = "";
    this.#area = root.querySelector(".line");
    this.#input = root.querySelector("input[type=range]");
    this.#shown = root.querySelector(".line-value");
    this.low = Number(this.#input.min);
    this.high = Number(this.#input.max);
    this.step = Number(root.dataset.step);
    const length = this.high - this.low;
    this.decimals = Math.max(0, -Math.floor(Math.log10(FINEST * length) + 1e-9));
    this.#typed = new TypedValue({ isValue: (text) => this.#isOnLine(text), isBegun: (text) => this.#isBegun(text) });
    this.#listen();
    this.#place();
    this.clear();
  }

  #listen() {
    this.#area.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#area.addEventListener("pointermove", (event) => this.#drag(event));
    this.#area.addEventListener("pointerup", (event) => this.#drop(event));
    this.#area.addEventListener("pointercancel", () => this.#giveBack());
    // It would take the focus away from the slider, after a touch even later than that.
    this.#area.addEventListener("mousedown", (event) => event.preventDefault());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    // A screen reader's gesture, which comes as no key.
    this.#input.addEventListener("input", () => this.#set(Number(this.#input.value)));
  }

  clear() {
    this.#typed.forget();
    this.#gesture = null;
    this.#draw("");
    this.markExpected(null);
  }

  lock(isLocked) {
    this.#input.disabled = isLocked;
    if (isLocked) {
      this.#gesture = null;
    }
  }

  type(character) {
    const text = this.#typed.read(character, this.value);
    this.focus();
    if (text) {
      this.#set(Number(text));
    }
  }

  contains(node) {
    return this.root.contains(node);
  }

  focus() {
    this.#input.focus();
  }

  /** Marks the part from `low` to `high`, or none. */
  markExpected(range) {
    const mark = this.root.querySelector(".line-expected");
    mark.hidden = !range;
    if (range) {
      mark.style.setProperty("--from", this.#part(range[0]));
      mark.style.setProperty("--to", this.#part(range[1]));
    }
  }

  /* The mark */

  #set(value) {
    this.#draw(this.#rounded(value));
    this.#input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #rounded(value) {
    const within = Math.min(this.high, Math.max(this.low, value));
    if (this.step > 0) {
      return String(Number((this.low + Math.round((within - this.low) / this.step) * this.step).toPrecision(12)));
    }
    return String(Number(within.toFixed(this.decimals)));
  }

  #draw(value) {
    this.value = value;
    const isSet = value !== "";
    this.#area.classList.toggle("is-set", isSet);
    this.#area.style.setProperty("--at", isSet ? this.#part(Number(value)) : 0.5);
    this.#input.value = isSet ? value : (this.low + this.high) / 2;
    this.#input.setAttribute("aria-valuetext", isSet ? value : UNSET_ALOUD);
    this.#shown.textContent = isSet ? value : "–";
    this.#shown.classList.toggle("is-empty", !isSet);
  }

  /** Where a value lies, 0 at the low end to 1 at the high one. */
  #part(value) {
    return (value - this.low) / (this.high - this.low);
  }

  #place() {
    const longest = Math.max(...[this.low, this.high].map((value) => value.toFixed(this.decimals).length));
    this.root.style.setProperty("--value-width", `${longest}ch`);
    for (const tick of this.root.querySelectorAll("[data-at]")) {
      tick.style.setProperty("--at", this.#part(Number(tick.dataset.at)));
    }
  }

  /* Fingers and mice */

  #begin(event) {
    if (this.#input.disabled || !event.isPrimary || event.button !== 0) {
      return;
    }
    const { clientX: x, clientY: y, pointerType } = event;
    this.#gesture = { before: this.value, x, y, isSure: pointerType !== "touch" };
    if (this.#gesture.isSure) {
      this.#area.setPointerCapture(event.pointerId);
      this.#draw(this.#rounded(this.#valueAt(event)));
    }
  }

  #drag(event) {
    if (!this.#gesture) {
      return;
    }
    const along = Math.abs(event.clientX - this.#gesture.x);
    const across = Math.abs(event.clientY - this.#gesture.y);
    this.#gesture.isSure ||= along > SCROLL_PX && along > across;
    if (!this.#gesture.isSure && across > SCROLL_PX) {
      this.#giveBack();
    } else if (this.#gesture.isSure) {
      this.#draw(this.#rounded(this.#valueAt(event)));
    }
  }

  #drop(event) {
    if (this.#gesture) {
      this.#gesture = null;
      this.#typed.forget();
      this.#set(this.#valueAt(event));
      this.#input.focus({ preventScroll: true });
    }
  }

  /** It is scrolling, or meant to be: no mark. */
  #giveBack() {
    if (this.#gesture) {
      this.#draw(this.#gesture.before);
      this.#gesture = null;
    }
  }

  #valueAt(event) {
    const { left, width } = this.#area.querySelector(".line-track").getBoundingClientRect();
    const part = (event.clientX - left) / width;
    return this.low + (this.#isFromRight ? 1 - part : part) * (this.high - this.low);
  }

  /** Numbers ascend as one reads. */
  get #isFromRight() {
    return getComputedStyle(this.#area).direction === "rtl";
  }

  /* Keys */

  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const value = this.#valueAfter(event.key);
    if (value !== undefined) {
      event.preventDefault();
      this.#typed.forget();
      this.#set(value);
    }
  }

  /** The first press of a key that moves sets the mark in the middle, which favours neither end. */
  #valueAfter(key) {
    const length = this.high - this.low;
    const forward = this.#isFromRight ? -1 : 1;
    const small = this.step || SMALL * length;
    const large = Math.max(small, LARGE * length);
    const moves = {
      ArrowUp: small,
      ArrowDown: -small,
      ArrowRight: forward * small,
      ArrowLeft: -forward * small,
      PageUp: large,
      PageDown: -large,
    };
    if (key in moves) {
      return this.value === "" ? this.low + length / 2 : Number(this.value) + moves[key];
    }
    return { Home: this.low, End: this.high }[key];
  }

  /** Whether it is a value as it stands, for which it is neither too fine nor between two steps. */
  #isOnLine(text) {
    return /\d$/.test(text) && Number(this.#rounded(Number(text))) === Number(text);
  }

  /** Whether it may become a value: it is not past the end of its side already. Decimals that are too fine are begun
      for ever, so that they change nothing. */
  #isBegun(text) {
    const value = Number(`${text}0`);
    const isPast = text.startsWith("-") ? value < this.low || this.low >= 0 : value > this.high;
    return /^-?\d*\.?\d*$/.test(text) && !isPast;
  }
}
