/* One player of the rating page: its buttons and its bar, and the clip that is in it. */

import { Listening } from "./listening.js";
import { gettext, interpolate } from "./words.js";

const OFFLINE = gettext("There is no connection. The sound comes as soon as there is one; nothing is lost.");
const INTERRUPTED = gettext("The sound was interrupted. Press Play to go on where it stopped.");

/** Whether it is the network that is gone, and not this sound. */
function isOffline(failure) {
  return failure?.kind === "load" && !navigator.onLine;
}

/** Fires "change", "ready" (the clip can be played) and "told" {sentence}, for screen readers. */
export class Player extends EventTarget {
  #clip = null;
  #told = "";

  /** `root` holds the controls; `clips` and `leadIn` are those of all players; `words.load` and `words.decode` say that
      the sound cannot be heard. */
  constructor(root, { clips, leadIn, words }) {
    super();
    this.root = root;
    this.clips = clips;
    this.words = words;
    this.letter = root.dataset.letter ?? "";
    this.audio = root.querySelector("audio");
    this.button = root.querySelector(".play");
    this.fromStart = root.querySelector(".from-start");
    this.note = root.querySelector(".clip-note");
    this.bar = root.querySelector(".clip-bar");
    this.listening = new Listening(this.audio, leadIn);
    this.#listen();
  }

  #listen() {
    this.listening.addEventListener("change", () => this.#render());
    this.listening.addEventListener("retry", () => this.clips.reload(this.#clip.audio));
    this.listening.addEventListener("ready", () => this.dispatchEvent(new Event("ready")));
    this.clips.addEventListener("change", () => this.#takeOrFail());
    this.audio.addEventListener("playing", () => this.#animate());
    addEventListener("online", () => this.#render());
    addEventListener("offline", () => this.#render());
    this.button.addEventListener("click", () => this.listening.toggle());
    this.fromStart.addEventListener("click", () => this.#playFromStart());
  }

  /** Opens a clip: `{audio, duration_s}`. */
  show(clip) {
    this.#clip = clip;
    this.#told = "";
    this.listening.open(clip.duration_s);
    this.#takeOrFail();
  }

  /** There is no clip for it now. */
  close() {
    this.#clip = null;
    this.listening.open(0);
  }

  toggle() {
    this.listening.toggle();
  }

  stop() {
    this.listening.pause();
  }

  /** Whether it may be pressed. */
  allow(isAllowed) {
    this.button.disabled = !isAllowed;
  }

  focus() {
    this.button.focus();
  }

  /** What an answer says of how the clip was heard. */
  get evidence() {
    return { plays: this.listening.plays, heard_s: this.listening.heardS };
  }

  get isHeard() {
    return this.listening.isHeard;
  }

  get isPlaying() {
    return this.listening.isPlaying;
  }

  /** Why the clip cannot be heard: `{kind, text, sentence, isOffline}`, or null. */
  get failure() {
    const { failure } = this.listening;
    return failure && { ...failure, sentence: this.#sentence(failure), isOffline: isOffline(failure) };
  }

  #takeOrFail() {
    const clip = this.clips.get(this.#clip?.audio);
    if (!clip || this.listening.hasClip || this.listening.failure?.kind === "decode") {
      return;
    }
    if (clip.url) {
      this.listening.take(clip.url);
    } else if (clip.failure) {
      this.listening.fail(clip.failure);
    }
  }

  #playFromStart() {
    this.listening.play({ fromStart: true });
    // The button is gone now: who came with the keyboard goes on from Play.
    this.focus();
  }

  #render() {
    const { isPlaying, isMidway, phase, position, isHeard } = this.listening;
    const { play, pause } = this.button.dataset;
    this.button.querySelector(".play-name").textContent = isPlaying ? pause : play;
    this.button.classList.toggle("is-playing", isPlaying);
    this.root.classList.toggle("is-heard", isHeard);
    this.fromStart.hidden = !isMidway;
    this.note.hidden = isMidway;
    this.#renderNote(phase);
    this.bar.value = position;
    this.#tell();
    this.dispatchEvent(new Event("change"));
  }

  #renderNote(phase) {
    const seconds = Number((this.#clip?.duration_s ?? 0).toFixed(1));
    const length = interpolate(gettext("%(seconds)s s"), { seconds });
    const text = { loading: gettext("Loading…"), failed: this.note.dataset.failed }[phase] ?? length;
    if (this.note.textContent !== text) {
      this.note.textContent = text;
    }
    this.note.classList.toggle("is-bad", phase === "failed");
  }

  #tell() {
    const { failure, wasInterrupted, isPlaying } = this.listening;
    const sentence = failure ? this.#sentence(failure) : wasInterrupted && !isPlaying ? INTERRUPTED : "";
    if (sentence && sentence !== this.#told) {
      this.dispatchEvent(new CustomEvent("told", { detail: { sentence } }));
    }
    this.#told = sentence;
  }

  #sentence(failure) {
    return isOffline(failure) ? OFFLINE : interpolate(this.words[failure.kind], { letter: this.letter });
  }

  #animate() {
    this.bar.value = this.listening.position;
    if (this.listening.isPlaying) {
      requestAnimationFrame(() => this.#animate());
    }
  }
}
