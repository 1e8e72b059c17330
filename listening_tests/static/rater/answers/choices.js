/* An answer that is one of several radio buttons: a number of a scale, or a choice between sounds. */

import { TypedValue } from "./typed.js";

export class Choices {
  /** `root`: a fieldset with `data-question`. A radio is chosen by typing its `data-key`, or else its number. */
  constructor(root) {
    this.root = root;
    this.name = root.dataset.question;
    this.radios = [...root.querySelectorAll("input[type=radio]")];
    this.keys = new Map(this.radios.map((radio) => [radio.dataset.key ?? radio.value, radio]));
    const keys = [...this.keys.keys()];
    this.typed = new TypedValue({
      isValue: (text) => this.keys.has(text),
      isBegun: (text) => keys.some((key) => key.startsWith(text)),
    });
  }

  /** The chosen one's, or "". */
  get value() {
    return this.#chosen?.value ?? "";
  }

  get #chosen() {
    return this.radios.find((radio) => radio.checked);
  }

  clear() {
    this.typed.forget();
    for (const radio of this.radios) {
      radio.checked = false;
    }
    this.markExpected(null);
  }

  lock(isLocked) {
    for (const radio of this.radios) {
      radio.disabled = isLocked;
    }
  }

  type(character) {
    const chosen = this.#chosen;
    const key = this.typed.read(character, chosen ? (chosen.dataset.key ?? chosen.value) : "");
    const radio = this.keys.get(key);
    if (radio) {
      radio.checked = true;
      radio.focus();
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  contains(node) {
    return this.root.contains(node);
  }

  focus() {
    (this.#chosen ?? this.radios[0]).focus();
  }

  /** Marks the values from `low` to `high`, or none. */
  markExpected(range) {
    const [low, high] = range ?? [Infinity, -Infinity];
    for (const radio of this.radios) {
      const value = Number(radio.value);
      radio.parentElement.classList.toggle("is-expected", value >= low && value <= high);
    }
  }
}
