/* The rating page: one pair or trial after another. An answer is kept in this browser, the next is shown at once, and the
   answer travels to the server meanwhile. What is shown and asked is the kind's: kinds/NAME.js.

   A kind's module exports `words`, its sentences, and a class `Kind`, made with the element of its template and the
   Players it adds its own to:
   `show(lease)` makes room for the clips that were given out; after it `rows` are the Rows to hear and to answer;
   `body()` is what the server is sent of them, besides what is sent of every kind;
   `opened` is the sentence that is shown once everything was heard;
   `feedback` tells of practice what most people give, and is null where nothing is told. */

import { stayAwake } from "./awake.js";
import { Breaks } from "./breaks.js";
import { gapBegins, gapEnds, gapIsForgotten } from "./gap.js";
import { listenToKeys, rememberSwitch } from "./keys.js";
import { newUuid, Outbox } from "./outbox.js";
import { Players } from "./players.js";
import { tellOnTheirWay, tellProgress } from "./progress.js";
import { Queue } from "./queue.js";
import { fieldToType, whatIsMissing } from "./rows.js";
import { takeStale } from "./saved_marks.js";
import * as screen from "./screen.js";

const LONGEST_REPORT = 500;
// Whoever pressed twice by accident has not read what came after the first time.
const READING_MS = 400;

const { element } = screen;
const state = JSON.parse(element("state").textContent);
const { Kind, words } = await import(`./kinds/${state.kind}.js`);
const form = element("answer");
const queue = new Queue(state);
const outbox = new Outbox({ sitting: state.sitting, csrfToken: form.elements.csrfmiddlewaretoken.value });
const players = new Players({ leadIn: element("rating").dataset.leadIn, words });
const kind = new Kind(element("trial"), players);
const { feedback } = kind;
const breaks = new Breaks(state.break_after_s, state.elapsed_s);

let lease = null; // the pair or trial that is shown
let shownAt = 0;
let isGiving = false; // between Next and the moment at which the browser has the answer for good
let isReading = false; // just after something came up that one must not press away by accident
let isStopped = false; // something happened that this page cannot go on from
let trouble = ""; // what the alert says

/* What is shown */

/** Draws what may be done now. */
function render() {
  const isOpen = Boolean(lease) && !isGiving && !isStopped;
  const { failure } = players;
  const opened = kind.rows.filter((row) => row.draw(isOpen));
  const isHeard = kind.rows.every((row) => row.isHeard);
  const isAnswered = kind.rows.every((row) => row.isAnswered);
  players.allow(Boolean(lease) && !isGiving);
  element("next").hidden = !lease || isStopped || Boolean(failure);
  element("next").disabled = !isOpen || !isHeard || !isAnswered || isReading;
  element("go-on").disabled = isReading;
  screen.drawLock(words, { isOpen: isHeard, isSent: Boolean(feedback?.isShown), opened: kind.opened });
  screen.drawSkipOffer(failure);
  screen.drawTrouble(trouble);
  if (lease && opened.length) {
    screen.announce(opened.at(-1).openedAloud);
  }
}

function showLease(next) {
  const practiceIsOver = lease?.practice && !next.practice;
  // Rows that are made anew must not be drawn as if they were heard.
  lease = null;
  feedback?.clear();
  kind.show(next);
  kind.rows.forEach((row) => row.clear());
  screen.drawLease(next, practiceIsOver ? words.practiceOver : "");
  players.show(kind.rows.flatMap((row) => row.players), queue.leases);
  lease = next;
  shownAt = performance.now();
  screen.showPart("rating");
  render();
  screen.goToLease();
}

/** Shows something else than a lease: "break", "saving", or nothing ("") but the alert. */
function showInstead(part) {
  lease = null;
  players.stop();
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
  if (!lease) {
    screen.showPart("");
  }
  tellTrouble(sentence);
  element("reload").hidden = false;
  element("reload").focus();
}

/* What comes next */

function goOn() {
  const [next] = queue.leases;
  if (next && breaks.take()) {
    showBreak();
  } else if (next) {
    showLease(next);
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
  } else if (lease) {
    players.loadAhead([lease, ...queue.leases.filter((other) => other.assignment !== lease.assignment)]);
  } else if (!screen.isPartShown("break")) {
    goOn();
  }
}

/* What the rater does */

/** A character of a number was typed. */
function type(character) {
  const field = lease && fieldToType(kind.rows, document.activeElement);
  const row = kind.rows.find((one) => one.fields.includes(field));
  if (row && !row.isHeard) {
    screen.announce(words.locked);
  } else if (row && !isGiving && !isStopped) {
    field.type(character);
  }
}

/** A letter was typed that may be a sound's. */
function playNamed(letter) {
  const player = lease && players.named(letter);
  if (player && !isGiving) {
    player.toggle();
    // Digits go to the row that is heard.
    if (kind.rows.length > 1) {
      player.focus();
    }
  }
}

function playOrPause() {
  if (lease && !isGiving) {
    const row = kind.rows.find((one) => one.contains(document.activeElement));
    players.toggle(row?.players.length === 1 ? row.players[0] : undefined);
  }
}

/** Enter: Next, or on to what is missing for it. */
function goOnByKey() {
  if (screen.isPartShown("break")) {
    element("go-on").click();
  } else if (!element("next").disabled) {
    form.requestSubmit();
  } else if (lease && !isGiving && !isReading && !isStopped) {
    whatIsMissing(kind.rows)?.focus();
  }
}

function noteChange() {
  if (feedback?.isShown) {
    feedback.compare();
  }
  render();
}

function answerNow() {
  return {
    assignment: lease.assignment,
    client_uuid: newUuid(),
    ...kind.body(),
    elapsed_s: (performance.now() - shownAt) / 1000,
  };
}

/** Resolves once the browser has it for good. */
async function give(entry) {
  isGiving = true;
  players.stop();
  render();
  const { assignment } = lease;
  await outbox.give({ assignment, ...entry });
  queue.markGiven(assignment);
  isGiving = false;
  element("reload").hidden = !isStopped;
  if (trouble !== words.retrying && !isStopped) {
    trouble = "";
  }
}

async function next() {
  gapBegins();
  if (feedback?.isShown) {
    goOn();
    return;
  }
  const { practice, expected } = lease;
  const body = answerNow();
  await give({ kind: "rating", url: state.ratings_url, body, isCounted: !practice });
  if (feedback && expected) {
    gapIsForgotten();
    feedback.show(expected);
    letRead(element("next"));
  } else {
    goOn();
  }
}

async function skip() {
  gapBegins();
  const { kind: reason, text, place } = players.failure;
  const told = lease.clips ? `sound ${place}: ${text}` : text;
  const body = { assignment: lease.assignment, kind: reason, text: told.slice(0, LONGEST_REPORT) };
  await give({ kind: "skip", url: state.skips_url, body });
  goOn();
}

form.addEventListener("change", noteChange);
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
  onPlay: playOrPause,
  onNumber: (character) => element("number-keys").checked && type(character),
  onLetter: (letter) => element("number-keys").checked && playNamed(letter),
  onNext: goOnByKey,
});

/* What the players tell */

players.addEventListener("change", render);
players.addEventListener("ready", gapEnds);
players.addEventListener("told", ({ detail }) => screen.announce(detail.sentence));

/* What the outbox tells */

outbox.addEventListener("change", () => tellOnTheirWay(outbox.entries.filter((entry) => entry.isCounted).length));
outbox.addEventListener("retry", () => isStopped || tellTrouble(words.retrying));
outbox.addEventListener("withdrawn", () => location.replace(new URL("..", new URL(state.ratings_url, location.href))));
outbox.addEventListener("saved", ({ detail }) => {
  if (isStopped || trouble === words.retrying) {
    isStopped = false;
    element("reload").hidden = true;
    tellTrouble("");
  }
  adopt(detail.newest ?? queue.state);
});
outbox.addEventListener("given", ({ detail }) => {
  queue.markGiven(detail.assignment);
  if (lease?.assignment === detail.assignment && !isGiving && !feedback?.isShown) {
    goOn();
    screen.announce(words.elsewhere);
  }
});
outbox.addEventListener("told", ({ detail: { sentence, newest, isRefused, isOver } }) => {
  if (isOver || (!newest && !lease && !outbox.entries.length)) {
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

if (takeStale(queue.leases)) {
  location.reload();
} else {
  stayAwake(element("awake"));
  start();
}
