/* One clip at a time, and the evidence of what was heard of it. */

// As on the server: heard means this share of the clip, less what players round off.
const HEARD_SHARE = 0.95;
const ROUNDING_S = 0.05;

function rangesOf(timeRanges) {
  return Array.from({ length: timeRanges.length }, (_, index) => [timeRanges.start(index), timeRanges.end(index)]);
}

/** The ranges without overlaps, ascending. */
export function union(ranges) {
  const merged = [];
  for (const [start, end] of [...ranges].sort((one, other) => one[0] - other[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) {
      last[1] = Math.max(last[1], end);
    } else {
      merged.push([start, end]);
    }
  }
  return merged;
}

export function seconds(ranges) {
  return union(ranges).reduce((sum, [start, end]) => sum + end - start, 0);
}

/** Fires "change" whenever anything that it tells has changed. */
export class Listening extends EventTarget {
  constructor(audio) {
    super();
    this.audio = audio;
    this.open("", 0);
    for (const name of ["timeupdate", "seeked", "pause", "ended"]) {
      audio.addEventListener(name, () => this.#note(name === "ended"));
    }
    audio.addEventListener("playing", () => this.#count());
    audio.addEventListener("waiting", () => audio.paused || this.#turn("loading"));
    audio.addEventListener("error", () => this.#fail());
  }

  /** Takes up another clip; `durationS` is the server's measure of it. */
  open(url, durationS) {
    this.url = url;
    this.durationS = durationS;
    this.plays = 0;
    this.state = "still";
    this.earlier = []; // heard before the element was loaded again
    this.current = []; // heard since
    this.isStarting = true;
    if (url) {
      this.#load();
    }
  }

  get heardS() {
    return seconds([...this.earlier, ...this.current]);
  }

  get isHeard() {
    return this.plays > 0 && this.heardS >= HEARD_SHARE * this.durationS - ROUNDING_S;
  }

  /** 0 at the start of the clip to 1 at its end. */
  get position() {
    const length = Number.isFinite(this.audio.duration) ? this.audio.duration : this.durationS;
    return length > 0 ? Math.min(1, this.audio.currentTime / length) : 0;
  }

  get isPlaying() {
    return this.state === "playing" || this.state === "loading";
  }

  toggle() {
    if (this.isPlaying) {
      this.audio.pause();
    } else {
      this.#play();
    }
  }

  stop() {
    this.audio.pause();
  }

  #load() {
    this.earlier = union([...this.earlier, ...this.current]);
    this.current = [];
    this.audio.src = this.url;
    this.audio.load();
  }

  async #play() {
    if (this.state === "failed") {
      this.#load();
    }
    this.isStarting = this.audio.ended || this.audio.currentTime === 0;
    this.#turn("loading");
    try {
      await this.audio.play();
    } catch (error) {
      // An AbortError is our own pause or the next clip.
      if (error.name !== "AbortError") {
        this.#fail();
      }
    }
  }

  #count() {
    if (this.isStarting) {
      this.plays += 1;
      this.isStarting = false;
    }
    this.#turn("playing");
  }

  #note(hasEnded) {
    this.current = rangesOf(this.audio.played);
    // Some players stop their clock a little before the end that they announce.
    if (hasEnded && this.current.length) {
      const last = this.current.at(-1);
      last[1] = Math.max(last[1], this.audio.duration);
    }
    this.#turn(this.audio.paused || hasEnded ? "still" : this.state);
  }

  #fail() {
    if (this.url) {
      this.#turn("failed");
    }
  }

  #turn(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
