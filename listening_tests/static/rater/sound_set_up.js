/* The play buttons of the sound set-up. The first press is also the gesture that browsers want to see before they play. */

import "./send_once.js";
import { gettext } from "./words.js";

const NOT_LOADED = gettext(
  "The sound could not be loaded. Check the connection and press the button again. You can also go on without it.",
);

const note = document.getElementById("sound-note");
let stopPlaying = () => {};

function tell(sentence) {
  note.textContent = sentence;
  note.hidden = !sentence;
}

function prepare(button) {
  const audio = new Audio();
  audio.preload = "auto";
  audio.src = button.dataset.sound;
  // The volume is set while the sound goes on and on.
  audio.loop = "again" in button.dataset;
  // Kept here, for a player whose sound failed to load does not say that it is paused.
  let isPlaying = false;

  function show(isPlayingNow) {
    isPlaying = isPlayingNow;
    button.textContent = isPlaying ? button.dataset.stop : button.dataset.play;
    button.classList.toggle("is-playing", isPlaying);
  }

  async function play() {
    stopPlaying();
    stopPlaying = () => audio.pause();
    tell("");
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
      if (error.name !== "AbortError") {
        tell(NOT_LOADED);
      }
    }
  }

  button.disabled = false;
  button.addEventListener("click", () => (isPlaying ? audio.pause() : play()));
  audio.addEventListener("pause", () => show(false));
  audio.addEventListener("ended", () => show(false));
}

for (const button of document.querySelectorAll("[data-sound]")) {
  prepare(button);
}
