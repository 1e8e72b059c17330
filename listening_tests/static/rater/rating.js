/* The rating page: one pair after another. A score is kept in this browser, the next pair is shown at once, and the score
   travels to the server meanwhile. */

import { stayAwake } from "./awake.js";
import { Breaks } from "./breaks.js";
import { gapBegins, gapEnds, gapIsForgotten } from "./gap.js";
import { DigitReader, listenToKeys, rememberSwitch } from "./keys.js";
import { newUuid, Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Feedback } from "./practice.js";
import { tellOnTheirWay, tellProgress } from "./progress.js";
import { Queue } from "./queue.js";
import { takeStale } from "./saved_marks.js";
import * as screen from "./screen.js";

const RETRYING = "Not saved yet, trying again. Your scores are kept.";
const RATED_ELSEWHERE = "You have rated this sound in another tab.";
const LONGEST_REPORT = 500;
// Whoever pressed twice by accident has not read what came after the first time.
const READING_MS = 400;

const { element } = screen;
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

/* What is shown */

/** Draws what may be done now. */
function render() {
  const isOpen = Boolean(pair) && player.isHeard && !isGiving && !isStopped;
  for (const radio of radios) {
    radio.disabled = !isOpen;
  }
  element("scores").classList.toggle("is-locked", !isOpen);
  element("play").disabled = !pair || isGiving;
  element("answer").hidden = Boolean(player.failure);
  element("next").hidden = !pair || isStopped || Boolean(player.failure);
  element("next").disabled = !isOpen || isReading || !form.elements.score.value;
  element("go-on").disabled = isReading;
  screen.drawLock({ isHeard: player.isHeard, isSent: feedback.isShown });
  screen.drawTrouble(trouble);
}

function showPair(next) {
  const practiceIsOver = pair?.practice && !next.practice;
  pair = next;
  shownAt = performance.now();
  feedback.clear();
  form.reset();
  screen.drawPair(pair, { practiceIsOver });
  player.show(queue.pairs);
  screen.showPart("rating");
  render();
  screen.goToPair();
}

/** Shows something else than a pair: "break", "saving", or nothing ("") but the alert. */
function showInstead(part) {
  pair = null;
  player.stop();
  screen.showPart(part);
  render();
}

function showBreak() {
  gapIsForgotten();
  showInstead("break");
  element("break-title").focus();
  letRead(element("go-on"));
}

/** Stays deaf for a moment, and gives the focus that was lost by that to `button`. */
function letRead(button) {
  isReading = true;
  render();
  setTimeout(() => {
    isReading = false;
    render();
    if (document.activeElement === document.body) {
      button.focus();
    }
  }, READING_MS);
}

function tellTrouble(sentence) {
  trouble = sentence;
  render();
}

/** Nothing more can be done but to load the page again. */
function stop(sentence) {
  isStopped = true;
  if (!pair) {
    screen.showPart("");
  }
  tellTrouble(sentence);
  element("reload").hidden = false;
  element("reload").focus();
}

/* What comes next */

function goOn() {
  const [next] = queue.pairs;
  if (next && breaks.take()) {
    showBreak();
  } else if (next) {
    showPair(next);
  } else if (outbox.entries.length) {
    showInstead("saving");
    // It may be another tab's, which is closed by now.
    outbox.wake();
  } else {
    leave();
  }
}

function leave() {
  if (queue.done) {
    location.replace(queue.done);
  } else {
    // Nothing to rate at this moment: the page itself says why.
    location.reload();
  }
}

/** Takes the server's newest word. */
function adopt(newest) {
  queue.adopt(newest);
  tellProgress(newest);
  breaks.note(newest.elapsed_s);
  if (queue.done && !outbox.entries.length) {
    leave();
  } else if (pair) {
    player.loadAhead([pair, ...queue.pairs.filter((other) => other.assignment !== pair.assignment)]);
  } else if (!screen.isPartShown("break")) {
    goOn();
  }
}

/* What the rater does */

function choose(value) {
  const radio = radios.find((one) => one.value === value);
  if (pair && !player.isHeard) {
    screen.announceLock();
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
    ...player.evidence,
    elapsed_s: (performance.now() - shownAt) / 1000,
  };
}

/** Resolves once the browser has it for good. */
async function give(entry) {
  isGiving = true;
  player.stop();
  render();
  const { assignment } = pair;
  await outbox.give({ assignment, ...entry });
  queue.markGiven(assignment);
  isGiving = false;
  element("reload").hidden = !isStopped;
  if (trouble !== RETRYING && !isStopped) {
    trouble = "";
  }
}

async function next() {
  gapBegins();
  if (feedback.isShown) {
    goOn();
    return;
  }
  const { practice, expected } = pair;
  const body = ratingNow();
  await give({ kind: "rating", url: state.ratings_url, body, isCounted: !practice });
  if (expected) {
    gapIsForgotten();
    feedback.show(body.score, expected);
    letRead(element("next"));
  } else {
    goOn();
  }
}

async function skip() {
  gapBegins();
  const { kind, text } = player.failure;
  const body = { assignment: pair.assignment, kind, text: text.slice(0, LONGEST_REPORT) };
  await give({ kind: "skip", url: state.skips_url, body });
  goOn();
}

form.addEventListener("change", noteChoice);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!element("next").disabled) {
    next();
  }
});
element("skip").addEventListener("click", () => isGiving || skip());
element("go-on").addEventListener("click", () => {
  gapBegins();
  goOn();
});
element("reload").addEventListener("click", () => location.reload());
rememberSwitch(element("number-keys"));
listenToKeys({
  onPlay: () => element("play").disabled || player.toggle(),
  onDigit: (digit) => element("number-keys").checked && choose(digits.read(digit, form.elements.score.value)),
  onNext: () => (screen.isPartShown("break") ? element("go-on").click() : form.requestSubmit()),
});

/* What the player tells */

player.addEventListener("change", render);
player.addEventListener("ready", gapEnds);
player.addEventListener("told", ({ detail }) => screen.announce(detail.sentence));

/* What the outbox tells */

outbox.addEventListener("change", () => tellOnTheirWay(outbox.entries.filter((entry) => entry.isCounted).length));
outbox.addEventListener("retry", () => isStopped || tellTrouble(RETRYING));
outbox.addEventListener("withdrawn", () => location.replace(new URL("..", new URL(state.ratings_url, location.href))));
outbox.addEventListener("saved", ({ detail }) => {
  if (isStopped || trouble === RETRYING) {
    isStopped = false;
    element("reload").hidden = true;
    tellTrouble("");
  }
  adopt(detail.newest ?? queue.state);
});
outbox.addEventListener("given", ({ detail }) => {
  queue.markGiven(detail.assignment);
  if (pair?.assignment === detail.assignment && !isGiving && !feedback.isShown) {
    goOn();
    screen.announce(RATED_ELSEWHERE);
  }
});
outbox.addEventListener("told", ({ detail: { sentence, newest, isRefused, isOver } }) => {
  if (isOver || (!newest && !pair && !outbox.entries.length)) {
    stop(sentence);
    return;
  }
  tellTrouble(sentence);
  element("reload").hidden = !isRefused;
  if (newest) {
    adopt(newest);
  }
});

addEventListener("beforeunload", (event) => {
  if (outbox.entries.length && !isStopped) {
    event.preventDefault();
  }
});
// A page that the browser kept alive behind another may show a pair that is rated by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

async function start() {
  tellProgress(state);
  await outbox.open();
  for (const { assignment } of outbox.entries) {
    queue.markGiven(assignment);
  }
  goOn();
}

if (takeStale(queue.pairs)) {
  location.reload();
} else {
  stayAwake(element("awake"));
  start();
}
