/* How far the sitting is: by the server's count, and what is on its way there. */

import { gettext, interpolate, ngettext } from "./words.js";

const UNTOLD_MS = 500;

const element = (id) => document.getElementById(id);

function tell(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
}

/** Rounded up, for nobody minds to be done sooner. */
export function timeLeft(seconds) {
  if (!(seconds > 0)) {
    return "";
  }
  const minutes = Math.ceil(seconds / 60);
  return interpolate(ngettext("About a minute left", "About %(minutes)s minutes left", minutes), { minutes });
}

export function tellProgress({ saved, planned, seconds_left: secondsLeft }) {
  tell("saved", interpolate(gettext("Saved %(saved)s of %(planned)s"), { saved, planned }));
  tell("time-left", timeLeft(secondsLeft));
  element("sitting-bar").max = planned;
  element("sitting-bar").value = saved;
}

let timer = null;

/** What is saved at once is not worth a word. */
export function tellOnTheirWay(count) {
  clearTimeout(timer);
  const sentence = ngettext("%(count)s more on its way", "%(count)s more on their way", count);
  const text = count ? interpolate(sentence, { count }) : "";
  timer = setTimeout(() => tell("on-its-way", text), count && !element("on-its-way").textContent ? UNTOLD_MS : 0);
}
