/* One clip at a time in one audio element, and the evidence of what was heard of it.

   The element is the same for all clips of its place: phones allow sound to an element that was once played by a touch. */

import { isWhole, rangesOf, seconds, union } from "./heard.js";

// After a pause the clip goes on a little before the place where it stopped.
const STEP_BACK_S = 0.5;
const WATCH_MS = 1_000;
// As many looks without progress, and the device has taken the sound away without telling.
const STUCK_LOOKS = 3;

/**
 * Fires "change" whenever anything that it tells has changed, "ready" when a clip can be played, and "retry" when Play
 * is pressed on a clip that failed.
 *
 * `phase`: "loading" (there is no clip yet), "still", "lead-in", "starting" or "playing", "failed" (see `failure`).
 */
export class Listening extends EventTarget {
  #turn = 0; // counts what was asked for, so that what ends late knows that it is over
  #looks = 0;
  #lastLook = 0;
  #countsAsPlay = false;

  constructor(audio, leadIn) {
    super();
    this.audio = audio;
    this.leadIn = leadIn;
    this.open(0);
    audio.addEventListener("timeupdate", () => this.#note());
    audio.addEventListener("seeked", () => this.#note());
    audio.addEventListener("playing", () => this.#start());
    audio.addEventListener("pause", () => this.#notePause());
    audio.addEventListener("ended", () => this.#end());
    audio.addEventListener("loadedmetadata", () => audio.duration > 0 || this.#failToDecode("The clip has no length."));
    audio.addEventListener("error", () => this.#failToDecode(`${audio.error?.code}: ${audio.error?.message}`));
    audio.addEventListener("canplay", () => this.hasClip && this.dispatchEvent(new Event("ready")));
    setInterval(() => this.#watch(), WATCH_MS);
  }

  /** Makes room for another clip; `durationS` is the server's measure of it. */
  open(durationS) {
    this.#rest("loading");
    this.durationS = durationS;
    this.plays = 0;
    this.earlier = []; // heard before the element was loaded again
    this.current = []; // heard since
    this.hasClip = false;
    this.failure = null;
    this.wantsToPlay = false;
    this.wasInterrupted = false;
    this.dispatchEvent(new Event("change"));
  }

  /** The clip has come. */
  take(url) {
    this.earlier = union([...this.earlier, ...this.current]);
    this.current = [];
    this.hasClip = true;
    this.failure = null;
    this.audio.src = url;
    this.audio.load();
    this.#become("still");
    if (this.wantsToPlay) {
      this.play();
    }
  }

  /** The clip does not come, or is none. `failure`: `{kind: "load" or "decode", text}`. */
  fail(failure) {
    this.failure = failure;
    this.hasClip = false;
    this.wantsToPlay = false;
    this.#rest("failed");
  }

  get heardS() {
    return seconds([...this.earlier, ...this.current]);
  }

  get isHeard() {
    return this.plays > 0 && isWhole(this.heardS, this.durationS);
  }

  /** 0 at the start of the clip to 1 at its end. */
  get position() {
    const length = Number.isFinite(this.audio.duration) ? this.audio.duration : this.durationS;
    return this.hasClip && length > 0 ? Math.min(1, this.audio.currentTime / length) : 0;
  }

  /** Whether Play was pressed and not yet taken back. */
  get isPlaying() {
    return ["lead-in", "starting", "playing"].includes(this.phase) || (this.phase === "loading" && this.wantsToPlay);
  }

  /** Whether it stopped somewhere in between, so that Play goes on from there. */
  get isMidway() {
    return this.hasClip && !this.isPlaying && this.audio.currentTime > 0 && !this.audio.ended;
  }

  toggle() {
    if (this.isPlaying) {
      this.pause();
    } else {
      this.play();
    }
  }

  pause() {
    this.wantsToPlay = false;
    this.#rest(this.phase === "loading" ? "loading" : "still");
  }

  /** Call it while a gesture is handled. After a pause it goes on where it stopped, unless `fromStart`. */
  play({ fromStart = false } = {}) {
    if (!this.hasClip) {
      this.wantsToPlay = true;
      if (this.phase === "failed") {
        this.failure = null;
        this.dispatchEvent(new Event("retry"));
      }
      this.#become("loading");
      return;
    }
    this.wantsToPlay = false;
    this.#seek(fromStart);
    this.#begin();
  }

  #seek(fromStart) {
    if (this.isMidway && !fromStart) {
      this.audio.currentTime = Math.max(0, this.audio.currentTime - STEP_BACK_S);
    } else {
      // Whoever was cut off hears it again from the start, and that is still the same play.
      this.#countsAsPlay = !this.wasInterrupted;
      this.audio.currentTime = 0;
    }
  }

  async #begin() {
    this.#turn += 1;
    const turn = this.#turn;
    if (this.leadIn.isNeeded) {
      this.#become("lead-in");
      this.#prime();
      await this.leadIn.play();
    }
    if (turn === this.#turn) {
      this.#become("starting");
      await this.#playElement(turn);
    }
  }

  /** Has the gesture count for the clip as well, which begins only after the lead-in. */
  #prime() {
    this.audio.play().catch(() => {});
    this.audio.pause();
  }

  async #playElement(turn) {
    try {
      await this.audio.play();
    } catch (error) {
      if (turn !== this.#turn || error.name === "AbortError") {
        return; // our own pause, or the next clip
      }
      if (error.name === "NotAllowedError") {
        this.#rest("still"); // came too long after the touch: the next one starts it
      } else {
        this.#failToDecode(String(error));
      }
    }
  }

  #start() {
    if (this.audio.paused || !this.hasClip) {
      return; // the end of priming
    }
    // Headphones and lock screens have a button of their own, which starts a clip as well.
    if (this.#countsAsPlay || this.plays === 0) {
      this.plays += 1;
      this.#countsAsPlay = false;
    }
    this.wasInterrupted = false;
    this.#looks = 0;
    this.#become("playing");
  }

  #note() {
    if (this.hasClip) {
      this.current = union([...this.current, ...rangesOf(this.audio.played)]);
      this.dispatchEvent(new Event("change"));
    }
  }

  #notePause() {
    this.#note();
    if (this.audio.paused && !this.audio.ended && ["starting", "playing"].includes(this.phase)) {
      this.#interrupt();
    }
  }

  #end() {
    this.#note();
    // Some players stop their clock a little before the end that they announce.
    if (this.current.length) {
      const last = this.current.at(-1);
      last[1] = Math.max(last[1], this.audio.duration);
    }
    this.#rest("still");
  }

  #watch() {
    const isStuck = ["starting", "playing"].includes(this.phase) && this.audio.currentTime === this.#lastLook;
    this.#lastLook = this.audio.currentTime;
    this.#looks = isStuck ? this.#looks + 1 : 0;
    if (this.#looks >= STUCK_LOOKS) {
      this.#interrupt();
    }
  }

  /** A call came in, or the headphones were pulled: nobody here asked for the pause. */
  #interrupt() {
    this.wasInterrupted = true;
    this.#rest("still");
    this.leadIn.noteChange(); // whatever sounds now may be another device
  }

  #failToDecode(text) {
    if (this.hasClip) {
      this.fail({ kind: "decode", text });
    }
  }

  #rest(phase) {
    this.#turn += 1;
    const before = this.phase;
    this.#become(phase);
    this.audio.pause();
    if (before === "playing") {
      this.leadIn.noteRest();
    } else if (before === "lead-in") {
      this.leadIn.stop(); // and never the one of another player
    }
  }

  #become(phase) {
    this.phase = phase;
    this.dispatchEvent(new Event("change"));
  }
}
