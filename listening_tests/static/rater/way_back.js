/* The way back to the recruiter: shown once nothing waits in this browser, and gone by itself, once. The server shows this page
   only where it has counted the sitting as ended. */

import { gettext } from "./words.js";

const PATIENCE_MS = 10_000;
const GOING = gettext("Everything is saved. This page leads you back in a few seconds.");
const STAYING = gettext("Everything is saved. Go back when you like.");

const waiting = document.getElementById("waiting");
const section = document.getElementById("way-back");
const told = document.getElementById("going-back");
const stay = document.getElementById("stay");
const key = `earmark went back ${section.dataset.sitting}`;

/** Who comes back to this page wants to read it, and is not sent away again. */
function wentBefore() {
  try {
    return sessionStorage.getItem(key) !== null;
  } catch {
    return true;
  }
}

function go() {
  sessionStorage.setItem(key, "yes");
  location.assign(document.getElementById("go-back").href);
}

function goByItself() {
  told.textContent = GOING;
  const timer = setTimeout(go, PATIENCE_MS);
  stay.hidden = false;
  stay.addEventListener("click", () => {
    clearTimeout(timer);
    stay.hidden = true;
    told.textContent = STAYING;
  });
}

function show() {
  section.hidden = false;
  // Where a score was refused, that is to be read first.
  if (waiting.hidden && !wentBefore()) {
    goByItself();
  }
}

if (waiting.dataset.allSaved) {
  show();
} else {
  waiting.addEventListener("allsaved", show, { once: true });
}
