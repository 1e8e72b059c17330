/* What is to be seen of the rating page: one of its parts at a time, a pair or a trial in it, and what is told about it. */

import { gettext } from "./words.js";

const SENT = gettext("Your score is sent. Try other numbers if you like, then press Next.");
// A caption that takes more of the screen than this does not stay in sight: it would leave no room for the rest.
const STAYS_BELOW = 0.25;

export const element = (id) => document.getElementById(id);

function tell(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
}

/** For screen readers alone: what others see change. */
export function announce(sentence) {
  element("announcer").textContent = sentence;
}

/** `name`: "rating", "break", "saving", or "" for none. */
export function showPart(name) {
  for (const part of ["rating", "break", "saving"]) {
    element(part).hidden = part !== name;
  }
}

export function isPartShown(name) {
  return !element(name).hidden;
}

/** `practiceOver`: the sentence that says so, once. */
export function drawLease(lease, practiceOver) {
  element("caption").textContent = lease.caption;
  element("caption").lang = lease.language;
  element("practice").hidden = !lease.practice;
  element("practice-over").hidden = !practiceOver;
  tell("practice-over", practiceOver);
  // "Report a problem" says which sound it is about.
  element("report").search = `?pair=${lease.assignment}`;
  announce(practiceOver);
}

/** Screen readers read the new caption, and others see it. */
export function goToLease() {
  measureCaption();
  element("pair").focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** What comes into sight by the keyboard must not end under a caption that stays. */
function measureCaption() {
  const height = element("pair").offsetHeight;
  const stays = height < STAYS_BELOW * innerHeight;
  element("pair").classList.toggle("stays", stays);
  document.documentElement.style.setProperty("--caption-height", stays ? `${height}px` : "0px");
}

addEventListener("resize", measureCaption);

/** What the answers wait for, or what becomes of them. */
export function drawLock(words, { isOpen, isSent, opened }) {
  tell("locked", isSent ? SENT : isOpen ? opened : words.locked);
}

/** Why a sound cannot be heard, and the way past it; none where `failure` is null. */
export function drawSkipOffer(failure) {
  element("skip-offer").hidden = !failure;
  tell("skip-why", failure?.sentence ?? "");
  element("skip").hidden = Boolean(failure?.isOffline);
}

/** The alert above Next. An empty sentence takes it away. */
export function drawTrouble(sentence) {
  element("trouble").hidden = !sentence;
  tell("trouble", sentence);
}
