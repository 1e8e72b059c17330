/* What most people give for a practice sound, told after the rater's own score was sent. */

import { gettext, interpolate } from "./words.js";

const told = () => document.getElementById("feedback");

// By whether it is the score that was sent or one that is only tried, whether it fits, and whether it is one number that
// most people give: whole sentences, for other languages put them together in other ways.
const SENTENCES = {
  sent: {
    fits: {
      one: gettext("You gave %(score)s. That fits: most people give %(low)s here."),
      range: gettext("You gave %(score)s. That fits: most people give %(low)s to %(high)s here."),
    },
    differs: {
      one: gettext("You gave %(score)s. Most people give %(low)s here."),
      range: gettext("You gave %(score)s. Most people give %(low)s to %(high)s here."),
    },
  },
  tried: {
    fits: {
      one: gettext("%(score)s fits: most people give %(low)s here."),
      range: gettext("%(score)s fits: most people give %(low)s to %(high)s here."),
    },
    differs: {
      one: gettext("%(score)s does not fit: most people give %(low)s here."),
      range: gettext("%(score)s does not fit: most people give %(low)s to %(high)s here."),
    },
  },
};

function sentenceFor(score, [low, high], isSent) {
  const sentences = SENTENCES[isSent ? "sent" : "tried"][score >= low && score <= high ? "fits" : "differs"];
  return interpolate(sentences[low === high ? "one" : "range"], { score, low, high });
}

export class Feedback {
  #expected = null;
  #sent = null;

  /** `field`: the one that practice is about. */
  constructor(field) {
    this.field = field;
  }

  /** Whether a score was sent and is talked about now. */
  get isShown() {
    return this.#expected !== null;
  }

  /** Tells how the score, which was sent, compares with the range `expected`. */
  show(expected) {
    this.#expected = expected;
    this.#sent = Number(this.field.value);
    this.compare();
    this.field.markExpected(expected);
    told().scrollIntoView({ block: "nearest" });
  }

  /** Tells the same of another score, which is only tried. */
  compare() {
    const score = Number(this.field.value);
    told().textContent = sentenceFor(score, this.#expected, score === this.#sent);
  }

  clear() {
    this.#expected = null;
    told().textContent = "";
    this.field.markExpected(null);
  }
}
