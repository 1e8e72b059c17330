/* What is to be seen of the rating page: one of its parts at a time, a pair in it, and what is told about it. */

const LOCKED = "Hear the whole sound to unlock the scores.";
const UNLOCKED = "Choose a score. It is final after Next.";
const UNLOCKED_ALOUD = "You can choose a score now.";
const SENT = "Your score is sent. Try other numbers if you like, then press Next.";
const PRACTICE_OVER = "Practice is over: from now on every score counts.";

export const element = (id) => document.getElementById(id);

function tell(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
    return true;
  }
  return false;
}

/** For screen readers alone: what others see change. */
export function announce(sentence) {
  element("announcer").textContent = sentence;
}

export function announceLock() {
  announce(LOCKED);
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

export function drawPair(pair, { practiceIsOver }) {
  element("caption").textContent = pair.caption;
  element("caption").lang = pair.language;
  element("practice").hidden = !pair.practice;
  element("practice-over").hidden = !practiceIsOver;
  // "Report a problem" says which sound it is about.
  element("report").search = `?pair=${pair.assignment}`;
  announce(practiceIsOver ? PRACTICE_OVER : "");
}

/** Screen readers read the new caption, and others see it. */
export function goToPair() {
  element("pair").focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** What the scores wait for, or what becomes of them. */
export function drawLock({ isHeard, isSent }) {
  const isNew = tell("locked", isSent ? SENT : isHeard ? UNLOCKED : LOCKED);
  if (isNew && isHeard && !isSent) {
    announce(UNLOCKED_ALOUD);
  }
}

/** The alert above Next. An empty sentence takes it away. */
export function drawTrouble(sentence) {
  element("trouble").hidden = !sentence;
  tell("trouble", sentence);
}
