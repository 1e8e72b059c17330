/* When a break is offered: each time that the minutes spent on rating pass another multiple of what the test sets. */

export class Breaks {
  #passed;
  #isDue = false;

  /** `everyS`: seconds of rating between breaks, 0 for none; `elapsedS`: those spent when the page was opened. */
  constructor(everyS, elapsedS) {
    this.everyS = everyS || 0;
    this.#passed = this.#multiples(elapsedS);
  }

  note(elapsedS) {
    const passed = this.#multiples(elapsedS);
    this.#isDue ||= passed > this.#passed;
    this.#passed = Math.max(passed, this.#passed);
  }

  /** Whether it is time; asking takes the offer, so that it is made once. */
  take() {
    const isDue = this.#isDue;
    this.#isDue = false;
    return isDue;
  }

  #multiples(elapsedS) {
    return this.everyS > 0 ? Math.floor((elapsedS ?? 0) / this.everyS) : 0;
  }
}
