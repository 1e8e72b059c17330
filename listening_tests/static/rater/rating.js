/* The rating page: one pair after another. A score is kept in this browser, the next pair is shown at once, and the score
   travels to the server meanwhile. */

import { stayAwake } from "./awake.js";
import { Breaks } from "./breaks.js";
import { gapBegins, gapEnds } from "./gap.js";
import { DigitReader, listenToKeys, rememberSwitch } from "./keys.js";
import { newUuid, Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Feedback } from "./practice.js";
import { tellOnTheirWay, tellProgress } from "./progress.js";
import { Queue } from "./queue.js";

const RETRYING = "Not saved yet, trying again. Your scores are kept.";
const LOCKED = "Hear the whole sound to unlock the scores.";
const UNLOCKED = "Choose a score. It is final after Next.";
const UNLOCKED_ALOUD = "You can choose a score now.";
const SENT = "Your score is sent. Try other numbers if you like, then press Next.";
const PRACTICE_OVER = "Practice is over: from now on every score counts.";
const RATED_ELSEWHERE = "You have rated this sound in another tab.";
const LONGEST_REPORT = 500;
// Whoever pressed twice by accident has not read what came after the first time.
const READING_MS = 400;

const element = (id) => document.getElementById(id);
const state = JSON.parse(element("state").textContent);
const form = element("answer");
const radios = [...form.elements.score];
const queue = new Queue(state);
const outbox = new Outbox({ sitting: state.sitting, csrfToken: form.elements.csrfmiddlewaretoken.value });
const player = new Player();
const feedback = new Feedback(radios);
const breaks = new Breaks(state.break_after_s, state.elapsed_s);
const digits = new DigitReader(radios.map((radio) => radio.value));

let pair = null; // the one that is shown
let shownAt = 0;
let isGiving = false; // between Next and the moment at which the browser has the score for good
let isReading = false; // just after something came up that one must not press away by accident
let isStopped = false; // something happened that this page cannot go on from
let trouble = ""; // what the alert says

/* What is on the screen */

function showPart(name) {
  for (const part of ["rating", "break", "saving"]) {
    element(part).hidden = part !== name;
  }
  if (name !== "rating") {
    pair = null;
    player.stop();
  }
  render();
}

function showPair(next) {
  const practiceIsOver = pair?.practice && !next.practice;
  pair = next;
  shownAt = performance.now();
  element("caption").textContent = pair.caption;
  element("caption").lang = pair.language;
  element("practice").hidden = !pair.practice;
  element("practice-over").hidden = !practiceIsOver;
  feedback.clear();
  form.reset();
  player.show(queue.pairs);
  showPart("rating");
  announce(practiceIsOver ? PRACTICE_OVER : "");
  element("pair").focus({ preventScroll: true });
  scrollTo(0, 0);
}

function showBreak() {
  showPart("break");
  letRead();
  element("break-title").focus();
}

/** Draws what may be done now. */
function render() {
  const isOpen = Boolean(pair) && player.isHeard && !isGiving && !isStopped;
  for (const radio of radios) {
    radio.disabled = !isOpen;
  }
  element("next").disabled = !isOpen || isReading || !form.elements.score.value;
  element("go-on").disabled = isReading;
  element("next").hidden = !pair || isStopped;
  element("play").disabled = isGiving;
  element("scores").classList.toggle("is-locked", !isOpen);
  renderLock(player.isHeard);
  element("trouble").textContent === trouble || (element("trouble").textContent = trouble);
  element("trouble").hidden = !trouble;
}

function renderLock(isHeard) {
  const text = feedback.isShown ? SENT : isHeard ? UNLOCKED : LOCKED;
  if (element("locked").textContent !== text) {
    element("locked").textContent = text;
    if (text === UNLOCKED) {
      announce(UNLOCKED_ALOUD);
    }
  }
}

/** For screen readers alone: what others see change. */
function announce(sentence) {
  element("announcer").textContent = sentence;
}

function tellTrouble(sentence) {
  trouble = sentence;
  render();
}

function stop(sentence) {
  isStopped = true;
  element("saving").hidden = true;
  element("reload").hidden = false;
  tellTrouble(sentence);
  element("reload").focus();
}

function letRead() {
  isReading = true;
  render();
  setTimeout(() => {
    isReading = false;
    render();
  }, READING_MS);
}

/* What comes next */

function goOn() {
  const [next] = queue.pairs;
  if (next && breaks.take()) {
    showBreak();
  } else if (next) {
    showPair(next);
  } else if (outbox.entries.length) {
    showPart("saving");
  } else {
    leave();
  }
}

function leave() {
  if (queue.done) {
    location.replace(queue.done);
  } else if (!isStopped) {
    // Nothing to rate at this moment: the page itself says why.
    location.reload();
  }
}

/** Takes the server's newest word. */
function adopt(newest) {
  queue.adopt(newest);
  tellProgress(newest);
  breaks.note(newest.elapsed_s);
  if (isStopped) {
    return;
  }
  if (queue.done && !outbox.entries.length) {
    leave();
  } else if (pair) {
    player.loadAhead([pair, ...queue.pairs.filter((other) => other.assignment !== pair.assignment)]);
  } else if (element("break").hidden) {
    goOn();
  }
}

/* What the rater does */

function choose(value) {
  const radio = radios.find((one) => one.value === value);
  if (!pair || !player.isHeard) {
    announce(LOCKED);
  } else if (radio && !radio.disabled) {
    radio.checked = true;
    radio.focus();
    noteChoice();
  }
}

function noteChoice() {
  if (feedback.isShown) {
    feedback.compare(Number(form.elements.score.value));
  }
  render();
}

function ratingNow() {
  return {
    assignment: pair.assignment,
    client_uuid: newUuid(),
    score: Number(form.elements.score.value),
    plays: player.listening.plays,
    heard_s: player.listening.heardS,
    elapsed_s: (performance.now() - shownAt) / 1000,
  };
}

/** Resolves once the browser has it for good. */
async function give(entry) {
  isGiving = true;
  player.stop();
  render();
  await outbox.give({ assignment: pair.assignment, ...entry });
  queue.markGiven(pair.assignment);
  isGiving = false;
  if (trouble !== RETRYING) {
    trouble = "";
  }
}

async function submit() {
  if (feedback.isShown) {
    gapBegins();
    goOn();
    return;
  }
  gapBegins();
  const body = ratingNow();
  const { practice, expected } = pair;
  await give({ kind: "rating", url: state.ratings_url, body, isCounted: !practice });
  if (expected && pair) {
    feedback.show(body.score, expected);
    letRead();
  } else {
    goOn();
  }
}

async function skip() {
  const { kind, text } = player.failure;
  gapBegins();
  const body = { assignment: pair.assignment, kind, text: text.slice(0, LONGEST_REPORT) };
  await give({ kind: "skip", url: state.skips_url, body });
  goOn();
}

function pressNext() {
  if (!element("break").hidden) {
    element("go-on").click();
  } else {
    form.requestSubmit();
  }
}

/* What the outbox tells */

function noteGivenElsewhere({ detail }) {
  queue.markGiven(detail.assignment);
  if (pair?.assignment === detail.assignment && !isGiving && !feedback.isShown) {
    goOn();
    announce(RATED_ELSEWHERE);
  }
}

function noteTold({ detail }) {
  if (detail.isOver) {
    stop(detail.sentence);
    return;
  }
  if (detail.isRefused) {
    element("reload").hidden = false;
  }
  tellTrouble(detail.sentence);
  if (detail.state) {
    adopt(detail.state);
  } else if (!pair && !outbox.entries.length) {
    stop(detail.sentence);
  }
}

function noteSaved({ detail }) {
  if (trouble === RETRYING || isStopped) {
    isStopped = false;
    element("reload").hidden = true;
    tellTrouble("");
  }
  adopt(detail.state);
}

outbox.addEventListener("change", () => tellOnTheirWay(outbox.entries.filter((entry) => entry.isCounted).length));
outbox.addEventListener("given", noteGivenElsewhere);
outbox.addEventListener("saved", noteSaved);
outbox.addEventListener("told", noteTold);
outbox.addEventListener("retry", () => isStopped || tellTrouble(RETRYING));
outbox.addEventListener("withdrawn", () => location.replace(new URL("..", new URL(state.ratings_url, location.href))));

player.addEventListener("change", render);
player.addEventListener("ready", gapEnds);
player.addEventListener("told", ({ detail }) => announce(detail.sentence));
element("skip").addEventListener("click", () => isGiving || skip());
element("reload").addEventListener("click", () => location.reload());
element("go-on").addEventListener("click", () => {
  gapBegins();
  goOn();
});
form.addEventListener("change", noteChoice);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!element("next").disabled) {
    submit();
  }
});
rememberSwitch(element("number-keys"));
listenToKeys({
  onPlay: () => element("play").disabled || !pair || player.toggle(),
  onDigit: (digit) => element("number-keys").checked && choose(digits.read(digit, form.elements.score.value)),
  onNext: pressNext,
});
addEventListener("beforeunload", (event) => {
  if (outbox.entries.length && !isStopped) {
    event.preventDefault();
  }
});
// A page that the browser kept alive behind another may show a pair that is rated by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

stayAwake(element("awake"));
tellProgress(state);
await outbox.open();
for (const { assignment } of outbox.entries) {
  queue.markGiven(assignment);
}
goOn();
