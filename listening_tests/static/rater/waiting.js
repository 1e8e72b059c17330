/* On the pages around the rating page: saves what the rater gave earlier and this browser could not send then. */

import { isFormBegun } from "./form_begun.js";
import { Outbox } from "./outbox.js";
import { gettext } from "./words.js";

const SAVING = gettext("Saving a score that you gave before. Keep this page open.");
const RETRYING = gettext("A score that you gave before is not saved yet. Trying again: keep this page open.");

const note = document.getElementById("waiting");
const { sitting, csrfToken } = note.dataset;
const outbox = new Outbox({ sitting, csrfToken });
const refusals = new Set();
let isLeaving = false; // a button was pressed whose page is on its way: a reload would take its place

/** For rater/way_back.js: nothing of this sitting waits here any more. */
function tellThatAllIsSaved() {
  note.dataset.allSaved = "yes";
  note.dispatchEvent(new Event("allsaved"));
}

function tell(sentence) {
  if (note.textContent !== sentence) {
    note.textContent = sentence;
  }
  note.hidden = false;
}

/** The page counts what is saved, and where the sitting has ended another page takes its place. */
function endIfAllIsSaved() {
  if (outbox.entries.length) {
    tell(SAVING);
    return;
  }
  tellThatAllIsSaved();
  if (isFormBegun()) {
    note.hidden = !refusals.size;
  } else if (!refusals.size && !note.hidden && !isLeaving) {
    location.reload();
  }
}

addEventListener("submit", () => {
  isLeaving = true;
});
outbox.addEventListener("retry", () => tell(RETRYING));
outbox.addEventListener("saved", endIfAllIsSaved);
outbox.addEventListener("withdrawn", () => location.reload());
outbox.addEventListener("told", ({ detail }) => {
  refusals.add(detail.sentence);
  tell([...refusals].join(" "));
  if (!outbox.entries.length) {
    tellThatAllIsSaved();
  }
});

await outbox.open();
if (outbox.entries.length) {
  tell(SAVING);
} else {
  tellThatAllIsSaved();
}
