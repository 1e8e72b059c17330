"use strict";
/*
 * A part of a page that is looked at again by itself: the element with data-look, the seconds between two looks.
 *
 * Each look that the server does not answer doubles the wait until the next, up to a minute; the first answer takes it
 * back. A page that nobody sees waits until it is seen, and one that comes back online looks at once. Where the part
 * comes back without data-look, there is nothing more to look for.
 */
(() => {
  const LONGEST_S = 60;
  // Longer than htmx waits for an answer: a look of which nothing was heard at all.
  const SILENT_S = 20;
  let failed = 0;
  let timer = null;

  const part = () => document.querySelector("[data-look]");

  function wait(seconds) {
    clearTimeout(timer);
    timer = setTimeout(look, seconds * 1000);
  }

  function look() {
    const looked = part();
    if (!looked || document.hidden) return;
    wait(SILENT_S);
    looked.dispatchEvent(new CustomEvent("earmark:look"));
  }

  function plan() {
    const looked = part();
    if (looked) wait(Math.min(LONGEST_S, Number(looked.dataset.look) * 2 ** failed));
    else clearTimeout(timer);
  }

  function answered() {
    failed = 0;
    plan();
  }

  function unanswered() {
    failed += 1;
    plan();
  }

  document.addEventListener("htmx:after:swap", answered);
  document.addEventListener("htmx:error", unanswered);
  document.addEventListener("htmx:response:error", unanswered);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  window.addEventListener("online", look);
  plan();
})();
