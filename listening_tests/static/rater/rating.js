/* The rating page: one pair after another, each score saved before the next pair is shown. */

import { DigitReader, listenToKeys } from "./keys.js";
import { Listening } from "./listening.js";
import { newUuid, Outbox } from "./outbox.js";

const RETRYING = "Not saved yet, trying again. Your score is kept.";
const LOCKED = "Hear the whole sound to unlock the scores.";
const UNLOCKED = "Choose a score. It is final after Next.";
const UNLOCKED_ALOUD = "You can choose a score now.";
const FAILED = "The sound could not be loaded. Check your connection, then press Play to try again.";
const PRACTICE_OVER = "Practice is over: from now on every score counts.";

const element = (id) => document.getElementById(id);
const state = JSON.parse(element("state").textContent);
const form = element("answer");
const radios = [...form.elements.score];
const listening = new Listening(element("audio"));
const outbox = new Outbox({
  url: state.ratings_url,
  sitting: state.sitting,
  csrfToken: form.elements.csrfmiddlewaretoken.value,
});
const digits = new DigitReader(radios.map((radio) => radio.value));

let pair = null;
let shownAt = 0;
let isSending = false;

function show(next) {
  const practiceIsOver = pair?.practice && !next.practice;
  pair = next;
  shownAt = performance.now();
  element("caption").textContent = pair.caption;
  element("caption").lang = pair.language;
  element("practice").hidden = !pair.practice;
  form.reset();
  tellTrouble("");
  listening.open(pair.audio, pair.duration_s);
  render();
  announce("");
  if (practiceIsOver) {
    element("locked").textContent = `${PRACTICE_OVER} ${LOCKED}`;
    announce(PRACTICE_OVER);
  }
}

/** Draws what the player and the form may do now. */
function render() {
  const isOpen = listening.isHeard && !isSending;
  for (const radio of radios) {
    radio.disabled = !isOpen;
  }
  element("next").disabled = !isOpen || !form.elements.score.value;
  element("play").disabled = isSending;
  element("play-name").textContent = listening.isPlaying ? "Pause" : "Play";
  element("play").classList.toggle("is-playing", listening.isPlaying);
  element("scores").classList.toggle("is-locked", !listening.isHeard);
  if (listening.isHeard && element("locked").textContent !== UNLOCKED) {
    element("locked").textContent = UNLOCKED;
    announce(UNLOCKED_ALOUD);
  } else if (!listening.isHeard && element("locked").textContent === UNLOCKED) {
    element("locked").textContent = LOCKED;
  }
  renderClip();
}

function renderClip() {
  element("clip-bar").value = listening.position;
  const note = element("clip-note");
  const length = `${Number(pair.duration_s.toFixed(1))} s`;
  const text = { failed: FAILED, loading: "Loading…" }[listening.state] ?? length;
  if (note.textContent !== text) {
    note.textContent = text;
  }
  note.classList.toggle("is-bad", listening.state === "failed");
}

function animate() {
  element("clip-bar").value = listening.position;
  if (listening.isPlaying) {
    requestAnimationFrame(animate);
  }
}

/** For screen readers alone: what others see change. */
function announce(sentence) {
  element("announcer").textContent = sentence;
}

function tellTrouble(sentence, { mayReload = false } = {}) {
  if (element("trouble").textContent !== sentence) {
    element("trouble").textContent = sentence;
  }
  element("trouble").hidden = !sentence;
  element("reload").hidden = !mayReload;
  element("next").hidden = Boolean(sentence);
}

function tellSaved({ saved, planned }) {
  element("saved").textContent = `Saved ${saved} of ${planned}`;
  element("sitting-bar").max = planned;
  element("sitting-bar").value = saved;
}

function choose(value) {
  const radio = radios.find((one) => one.value === value);
  if (!listening.isHeard) {
    announce(LOCKED);
  } else if (radio && !radio.disabled) {
    radio.checked = true;
    radio.focus();
    render();
  }
}

function answerNow() {
  return {
    assignment: pair.assignment,
    client_uuid: newUuid(),
    score: Number(form.elements.score.value),
    plays: listening.plays,
    heard_s: listening.heardS,
    elapsed_s: (performance.now() - shownAt) / 1000,
  };
}

async function submit(rating) {
  isSending = true;
  listening.stop();
  render();
  form.setAttribute("aria-busy", "true");
  const { answer, sentence } = await outbox.deliver(rating, () => tellTrouble(RETRYING));
  form.removeAttribute("aria-busy");
  if (sentence) {
    tellTrouble(sentence, { mayReload: true });
    element("reload").focus();
    return;
  }
  goOn(answer);
}

function goOn(answer) {
  tellSaved(answer);
  if (answer.done) {
    location.replace(answer.done);
  } else if (answer.next) {
    isSending = false;
    show(answer.next);
    element("pair").focus({ preventScroll: true });
    scrollTo(0, 0);
  } else {
    // Nothing to rate at this moment: the page itself says why.
    location.reload();
  }
}

/** Sends what an earlier visit gave and could not send. */
function sendWaiting() {
  for (const rating of outbox.waiting()) {
    if (rating.assignment === pair.assignment) {
      radios.find((radio) => Number(radio.value) === rating.score).checked = true;
      submit(rating);
    } else {
      outbox.deliver(rating).then(({ answer }) => answer && tellSaved(answer));
    }
  }
}

listening.addEventListener("change", render);
element("audio").addEventListener("playing", animate);
element("play").addEventListener("click", () => listening.toggle());
element("reload").addEventListener("click", () => location.reload());
form.addEventListener("change", render);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!element("next").disabled && !isSending) {
    submit(answerNow());
  }
});
listenToKeys({
  onPlay: () => element("play").disabled || listening.toggle(),
  onDigit: (digit) => choose(digits.read(digit, form.elements.score.value)),
  onNext: () => form.requestSubmit(),
});
addEventListener("beforeunload", (event) => {
  if (isSending && !element("trouble").hidden && element("reload").hidden) {
    event.preventDefault();
  }
});
// A page that the browser kept alive behind another may show a pair that is rated by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

show(state.next);
sendWaiting();
