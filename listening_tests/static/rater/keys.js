/* Keys of the rating page: space plays, digits choose, enter goes on. */

const SWITCH = "earmark.number-keys";

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

/** Has a checkbox switch the digits on and off, for good: who speaks to the browser may choose scores by accident
    (WCAG 2.1.4). */
export function rememberSwitch(checkbox) {
  try {
    checkbox.checked = localStorage.getItem(SWITCH) !== "off";
  } catch {
    // No storage in this browser: it stays as long as the page does.
  }
  checkbox.addEventListener("change", () => {
    try {
      localStorage.setItem(SWITCH, checkbox.checked ? "on" : "off");
    } catch {
      // As above.
    }
  });
}

function isModified(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
}

const takesText = (target) => target.closest("textarea, select, input:not([type=radio], [type=checkbox])");
const takesKeys = (target) => takesText(target) || target.closest("button, a, summary, [type=checkbox]");

/** `onPlay()`, `onDigit(digit)` and `onNext()` are called for the keys that no focused control takes. */
export function listenToKeys({ onPlay, onDigit, onNext }) {
  document.addEventListener("keydown", (event) => {
    // Tells that there is a keyboard, also where the device is a phone.
    document.documentElement.classList.add("has-keys");
    if (isModified(event) || takesText(event.target)) {
      return;
    }
    if (/^[0-9]$/.test(event.key)) {
      onDigit(event.key);
      return;
    }
    const action = { " ": onPlay, Enter: onNext }[event.key];
    if (!action || takesKeys(event.target)) {
      return;
    }
    event.preventDefault();
    if (!event.repeat) {
      action();
    }
  });
  // Some browsers choose a radio when space is let go, whatever was said when it went down.
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.closest("[type=radio]")) {
      event.preventDefault();
    }
  });
}
