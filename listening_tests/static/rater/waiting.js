/* On the pages around the rating page: saves what the rater gave earlier and this browser could not send then. */

import { Outbox } from "./outbox.js";

const SAVING = "Saving a score that you gave before. Keep this page open.";
const RETRYING = "A score that you gave before is not saved yet. Trying again: keep this page open.";

const note = document.getElementById("waiting");
const { ratingsUrl, sitting, csrfToken } = note.dataset;
const outbox = new Outbox({ url: ratingsUrl, sitting, csrfToken });

function tell(sentence) {
  if (note.textContent !== sentence) {
    note.textContent = sentence;
  }
  note.hidden = false;
}

async function deliverAll(ratings) {
  const refusals = [];
  for (const rating of ratings) {
    tell(SAVING);
    const { sentence } = await outbox.deliver(rating, () => tell(RETRYING));
    if (sentence) {
      refusals.push(sentence);
    }
  }
  if (refusals.length) {
    tell([...new Set(refusals)].join(" "));
  } else if (!outbox.waiting().length) {
    // The page counts what is saved, and where the sitting has ended another page takes its place.
    location.reload();
  }
}

const ratings = outbox.waiting();
if (ratings.length) {
  deliverAll(ratings);
}
