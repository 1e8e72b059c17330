/* The headphone check: one form, of which one trial is shown at a time. What it says stands in the page. */

import "./send_once.js";

const form = document.querySelector("[data-trials]");
const trials = [...form.querySelectorAll("[data-trial]")];
const next = form.querySelector("[data-next]");
const last = next.textContent;
const unanswered = document.getElementById("unanswered");
const notLoaded = document.getElementById("not-loaded");
// Where something was found wrong with the form, all of it is shown, to be mended.
const isStepwise = !document.querySelector(".faults");
let current = 0;
let stopPlaying = () => {};

function prepare(button) {
  if (!button.disabled) {
    return;
  }
  const audio = new Audio();
  audio.preload = "auto";
  audio.src = button.dataset.sound;
  const words = button.textContent;
  // Kept here, for a player whose sound failed to load does not say that it is paused.
  let isPlaying = false;

  function show(isPlayingNow) {
    isPlaying = isPlayingNow;
    button.textContent = isPlaying ? button.dataset.stop : words;
    button.classList.toggle("is-playing", isPlaying);
  }

  async function play() {
    stopPlaying();
    stopPlaying = () => audio.pause();
    notLoaded.hidden = true;
    if (audio.error) {
      audio.load();
    }
    audio.currentTime = 0;
    show(true);
    try {
      await audio.play();
    } catch (error) {
      audio.pause();
      show(false);
      // Stopped before it began.
      notLoaded.hidden = error.name === "AbortError";
    }
  }

  button.disabled = false;
  button.addEventListener("click", () => (isPlaying ? audio.pause() : play()));
  audio.addEventListener("pause", () => show(false));
  audio.addEventListener("ended", () => show(false));
}

function playButtons(trial) {
  return trial ? [...trial.querySelectorAll("[data-sound]")] : [];
}

function show(number) {
  stopPlaying();
  current = number;
  trials.forEach((trial, each) => {
    trial.hidden = each !== current;
  });
  unanswered.hidden = true;
  notLoaded.hidden = true;
  next.textContent = current === trials.length - 1 ? last : next.dataset.next;
  // The sound that comes next is loaded while this one is heard.
  [...playButtons(trials[current]), ...playButtons(trials[current + 1])].forEach(prepare);
}

function goOn(event) {
  if (event.submitter?.name === "skip") {
    return;
  }
  const isAnswered = trials[current].querySelector("input:checked") !== null;
  if (isAnswered && current === trials.length - 1) {
    return;
  }
  // Not sent yet, so that it still can be: see send_once.js.
  event.preventDefault();
  event.stopPropagation();
  if (isAnswered) {
    show(current + 1);
    playButtons(trials[current]).at(0).focus();
  } else {
    unanswered.hidden = false;
    trials[current].querySelector("input").focus();
  }
}

if (isStepwise) {
  show(0);
  form.addEventListener("change", () => {
    unanswered.hidden = true;
  });
  addEventListener("submit", goOn, { capture: true });
} else {
  trials.flatMap(playButtons).forEach(prepare);
}
