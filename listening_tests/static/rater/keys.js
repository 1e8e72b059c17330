/* Keys of the rating page: space plays, digits choose, enter goes on. */

/** Reads typed digits as values of a scale. */
export class DigitReader {
  constructor(values) {
    this.values = new Set(values);
    this.typed = "";
  }

  /** The value that is meant so far, or null where no such value is on the scale. A digit belongs to the one before it
      as long as that one's value stays `chosen`, however slowly somebody types: 1, 0 is 10. */
  read(digit, chosen) {
    const longer = (chosen === this.typed ? this.typed : "") + digit;
    this.typed = this.values.has(longer) ? longer : digit;
    return this.values.has(this.typed) ? this.typed : null;
  }
}

function isModified(event) {
  return event.ctrlKey || event.altKey || event.metaKey;
}

/** `onPlay()`, `onDigit(digit)` and `onNext()` are called for the keys that no focused button or link takes. */
export function listenToKeys({ onPlay, onDigit, onNext }) {
  document.addEventListener("keydown", (event) => {
    if (isModified(event)) {
      return;
    }
    if (/^[0-9]$/.test(event.key)) {
      onDigit(event.key);
      return;
    }
    const action = { " ": onPlay, Enter: onNext }[event.key];
    if (!action || event.target.closest("button, a")) {
      return;
    }
    event.preventDefault();
    if (!event.repeat) {
      action();
    }
  });
  // Some browsers choose a radio when space is let go, whatever was said when it went down.
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.closest("input")) {
      event.preventDefault();
    }
  });
}
