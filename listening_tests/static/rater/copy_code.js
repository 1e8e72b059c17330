/* The copy button of the done page. Over plain http browsers offer no clipboard: the code is selected there instead. */

const code = document.getElementById("code");
const button = document.getElementById("copy");
const told = document.getElementById("copied");

function select() {
  const range = document.createRange();
  range.selectNodeContents(code);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(code.textContent.trim());
    told.textContent = "Copied.";
  } catch {
    select();
    told.textContent = document.execCommand("copy") ? "Copied." : "The code is selected: copy it from there.";
  }
}

button.hidden = false;
button.addEventListener("click", copy);
