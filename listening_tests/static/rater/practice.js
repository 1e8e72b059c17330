/* What most people give for a practice sound, told after the rater's own score was sent. */

const element = (id) => document.getElementById(id);
const inWords = ([low, high]) => (low === high ? `${low}` : `${low} to ${high}`);

function sentenceFor(score, expected, isFirst) {
  const fits = score >= expected[0] && score <= expected[1];
  const most = `most people give ${inWords(expected)} here`;
  if (fits) {
    return isFirst ? `You gave ${score}. That fits: ${most}.` : `${score} fits: ${most}.`;
  }
  return isFirst ? `You gave ${score}. M${most.slice(1)}.` : `${score} does not fit: ${most}.`;
}

export class Feedback {
  #expected = null;
  #first = null;

  constructor(radios) {
    this.radios = radios;
  }

  /** Whether a score was sent and is talked about now. */
  get isShown() {
    return this.#expected !== null;
  }

  /** Tells how `score`, which was sent, compares with the range `expected`. */
  show(score, expected) {
    this.#expected = expected;
    this.#first = score;
    this.compare(score);
    for (const radio of this.radios) {
      const value = Number(radio.value);
      radio.parentElement.classList.toggle("is-expected", value >= expected[0] && value <= expected[1]);
    }
  }

  /** Tells the same of another score, which is only tried. */
  compare(score) {
    element("feedback").textContent = sentenceFor(score, this.#expected, score === this.#first);
  }

  clear() {
    this.#expected = null;
    element("feedback").textContent = "";
    for (const radio of this.radios) {
      radio.parentElement.classList.remove("is-expected");
    }
  }
}
