/* The switch at the foot of each page loads the page anew. What was chosen or written there and is not sent would be lost:
   the first press says so, and the second one switches. Scores that were given wait in the outbox, as at any reload. */

import { isFormBegun } from "./form_begun.js";
import { gettext } from "./words.js";

const UNSENT = gettext(
  "What you chose or wrote on this page may not be sent yet, and would be lost. Send it first, or press the language once more to switch now.",
);

const note = document.getElementById("language-note");

document.getElementById("languages")?.addEventListener("submit", (event) => {
  if (isFormBegun() && !note.textContent) {
    event.preventDefault();
    // For others who hear of it, nobody leaves the page.
    event.stopPropagation();
    note.textContent = UNSENT;
    note.scrollIntoView({ block: "nearest" });
  }
});
