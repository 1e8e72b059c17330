/* Copy buttons: `data-copies` names what is copied. Over plain http browsers offer no clipboard: the text is selected
   there, and copied the old way. */

import { gettext } from "./words.js";

const COPIED = gettext("Copied.");
const SELECTED = gettext("It is selected: copy it from there.");

const told = document.getElementById("copied");

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(node) {
  try {
    await navigator.clipboard.writeText(node.textContent.trim());
    told.textContent = COPIED;
  } catch {
    select(node);
    told.textContent = document.execCommand("copy") ? COPIED : SELECTED;
  }
}

for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(document.getElementById(button.dataset.copies)));
}
