/* Half a second of next to nothing before a clip: Bluetooth earphones that slept cut off the first moments of a sound.
   The file is not quite silent (the last bit of 16), since some of them sleep through plain zeros.

   One for all players of a page, for what one of them plays keeps the earphones awake for the others. */

// Where the file does not load the clip does not wait for it.
const LIMIT_MS = 1_500;
// Resting longer than this, Bluetooth earphones may fall asleep.
const SLEEPY_AFTER_MS = 3_000;

export class LeadIn {
  #restingSince = -Infinity;

  constructor(url) {
    this.audio = new Audio(url);
    this.audio.preload = "auto";
  }

  /** Whether the earphones may sleep. */
  get isNeeded() {
    return performance.now() - this.#restingSince > SLEEPY_AFTER_MS;
  }

  /** A sound has just ended. */
  noteRest() {
    this.#restingSince = performance.now();
  }

  /** Whatever sounds next may be another device. */
  noteChange() {
    this.#restingSince = -Infinity;
  }

  /** Resolves at its end, or as soon as it cannot be played. Call it while a gesture is handled. */
  play() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LIMIT_MS);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      this.audio.onended = end;
      this.audio.onerror = end;
      this.audio.currentTime = 0;
      this.audio.play().catch(end);
    });
  }

  stop() {
    this.audio.pause();
  }
}
