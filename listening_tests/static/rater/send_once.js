/* Forms that are sent once, however often their button is pressed. The server would know the repeat; but what it answers
   to the first is what the person wants to read. */

const PATIENCE_MS = 10_000;

for (const form of document.querySelectorAll("form[data-send-once]")) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
    }
    isSent = true;
    // A page that was stopped on its way may be sent anew, and so may one that comes back from the browser's memory.
    setTimeout(() => {
      isSent = false;
    }, PATIENCE_MS);
  });
  addEventListener("pageshow", () => {
    isSent = false;
  });
}
