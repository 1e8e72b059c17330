/* Half a second of next to nothing before the clip: Bluetooth earphones that slept cut off the first moments of a sound.
   The file is not quite silent (the last bit of 16), since some of them sleep through plain zeros. */

// Where the file does not load the clip does not wait for it.
const LIMIT_MS = 1_500;

export class LeadIn {
  constructor(url) {
    this.audio = new Audio(url);
    this.audio.preload = "auto";
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
