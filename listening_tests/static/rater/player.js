/* The player of the rating page: its buttons and its bar, and the clip that is shown out of those loaded ahead. */

import { ClipsAhead } from "./clips_ahead.js";
import { LeadIn } from "./lead_in.js";
import { Listening } from "./listening.js";

const LOADED_AT_MOST = 3;
const SKIP = "This is not held against you.";
const FAILURES = {
  load: `The sound could not be loaded. Press Play to try again, or skip it. ${SKIP}`,
  decode: `This browser cannot play the sound. Press Play to try again, or skip it. ${SKIP}`,
};
const OFFLINE = "There is no connection. The sound comes as soon as there is one; nothing is lost.";
const INTERRUPTED = "The sound was interrupted. Press Play to go on where it stopped.";

/** Whether it is the network that is gone, and not this sound. */
function isOffline(failure) {
  return failure?.kind === "load" && !navigator.onLine;
}

const element = (id) => document.getElementById(id);

/** Fires "change", "ready" (the clip shown can be played) and "told" {sentence}, for screen readers. */
export class Player extends EventTarget {
  #pair = null;
  #clips = new ClipsAhead();
  #told = "";

  constructor() {
    super();
    this.listening = new Listening(element("audio"), new LeadIn(element("audio").dataset.leadIn));
    this.listening.addEventListener("change", () => this.#render());
    this.listening.addEventListener("retry", () => this.#reload());
    this.listening.addEventListener("ready", () => this.dispatchEvent(new Event("ready")));
    this.#clips.addEventListener("change", () => this.#takeOrFail());
    element("audio").addEventListener("playing", () => this.#animate());
    addEventListener("online", () => this.#render());
    addEventListener("offline", () => this.#render());
    element("play").addEventListener("click", () => this.listening.toggle());
    element("from-start").addEventListener("click", () => this.#playFromStart());
  }

  /** Opens a pair's clip and loads those of `pairs`, the first of which it is. */
  show(pairs) {
    this.#pair = pairs[0];
    this.#told = "";
    this.listening.open(this.#pair.duration_s);
    this.loadAhead(pairs);
    this.#takeOrFail();
  }

  loadAhead(pairs) {
    this.#clips.want(pairs.slice(0, LOADED_AT_MOST).map((pair) => pair.audio));
  }

  toggle() {
    this.listening.toggle();
  }

  stop() {
    this.listening.pause();
  }

  /** What a rating says of how the clip was heard. */
  get evidence() {
    return { plays: this.listening.plays, heard_s: this.listening.heardS };
  }

  get isHeard() {
    return this.listening.isHeard;
  }

  /** Why the clip cannot be heard: `{kind, text}`, or null. */
  get failure() {
    return this.listening.failure;
  }

  #takeOrFail() {
    const clip = this.#clips.get(this.#pair?.audio);
    if (!clip || this.listening.hasClip || this.failure?.kind === "decode") {
      return;
    }
    if (clip.url) {
      this.listening.take(clip.url);
    } else if (clip.failure) {
      this.listening.fail(clip.failure);
    }
  }

  #reload() {
    this.#clips.reload(this.#pair.audio);
  }

  #playFromStart() {
    this.listening.play({ fromStart: true });
    // The button is gone now: who came with the keyboard goes on from Play.
    element("play").focus();
  }

  #render() {
    const { isPlaying, isMidway, phase, failure } = this.listening;
    element("play-name").textContent = isPlaying ? "Pause" : "Play";
    element("play").classList.toggle("is-playing", isPlaying);
    element("from-start").hidden = !isMidway;
    element("clip-note").hidden = isMidway;
    this.#renderNote(phase);
    element("skip-offer").hidden = !failure;
    element("skip-why").textContent = failure ? this.#sentence(failure) : "";
    element("skip").hidden = isOffline(failure);
    element("clip-bar").value = this.listening.position;
    this.#tell();
    this.dispatchEvent(new Event("change"));
  }

  #renderNote(phase) {
    const length = `${Number((this.#pair?.duration_s ?? 0).toFixed(1))} s`;
    const text = { loading: "Loading…", failed: "" }[phase] ?? length;
    if (element("clip-note").textContent !== text) {
      element("clip-note").textContent = text;
    }
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
    return isOffline(failure) ? OFFLINE : FAILURES[failure.kind];
  }

  #animate() {
    element("clip-bar").value = this.listening.position;
    if (this.listening.isPlaying) {
      requestAnimationFrame(() => this.#animate());
    }
  }
}
