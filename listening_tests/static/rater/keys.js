/* Keys of the rating page: space plays, digits choose, enter goes on, and letters play where the sounds have some. */

const SWITCH = "earmark.number-keys";

/** Has a checkbox switch digits and letters on and off, for good: who speaks to the browser may choose scores by accident
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

const takesText = (target) => target.closest("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
const takesKeys = (target) => takesText(target) || target.closest("button, a, summary, [type=checkbox]");

/** What was typed, as on a keyboard for English: others write other letters and digits with the same keys. */
function characterOf({ key, code }) {
  if (/^[ -~]$/.test(key)) {
    return key.toUpperCase().replace(",", ".");
  }
  return key?.length === 1 ? (/^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1] ?? "") : "";
}

/**
 * `onPlay()`, `onNumber(character)`, `onLetter(letter)` and `onNext()` are called for the keys that no focused control
 * takes; `onNumber` with each character of a number.
 */
export function listenToKeys({ onPlay, onNumber, onLetter, onNext }) {
  document.addEventListener("keydown", (event) => {
    // Tells that there is a keyboard, also where the device is a phone.
    document.documentElement.classList.add("has-keys");
    if (isModified(event) || takesText(event.target)) {
      return;
    }
    const character = characterOf(event);
    if (/^[0-9.-]$/.test(character)) {
      onNumber(character);
    } else if (/^[A-Z]$/.test(character) && !event.repeat) {
      onLetter(character);
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
