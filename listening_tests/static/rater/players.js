/* The players of the page: one of them sounds at a time, and what they need is loaded ahead. */

import { ClipsAhead } from "./clips_ahead.js";
import { LeadIn } from "./lead_in.js";
import { Player } from "./player.js";

// Of what the rater holds: single clips are small, and trials of several are not.
const PAIRS_AHEAD = 3;
const TRIALS_AHEAD = 2;

/** The clips of what was given out: its one, or those of a trial in their places. */
export function clipsOf(lease) {
  return lease.clips ?? [lease];
}

/** Passes on its players' "change", "ready" and "told". */
export class Players extends EventTarget {
  #clips = new ClipsAhead();
  #leadIn;
  #words;
  #all = [];
  #shown = [];
  #sounding = null; // the one that plays, or that played last

  /** `words`: as a Player takes them. */
  constructor({ leadIn, words }) {
    super();
    this.#leadIn = new LeadIn(leadIn);
    this.#words = words;
  }

  /** Makes one of the controls in `root`. */
  add(root) {
    const player = new Player(root, { clips: this.#clips, leadIn: this.#leadIn, words: this.#words });
    player.addEventListener("change", () => this.#noteChange(player));
    player.addEventListener("ready", () => this.dispatchEvent(new Event("ready")));
    player.addEventListener("told", ({ detail }) => this.dispatchEvent(new CustomEvent("told", { detail })));
    this.#all.push(player);
    return player;
  }

  /** Opens the clips of the first of `leases` in `players`, and loads those of the others. */
  show(players, leases) {
    this.#shown = players;
    this.#sounding = null;
    this.loadAhead(leases);
    for (const player of this.#all.filter((one) => !players.includes(one))) {
      player.close();
    }
    clipsOf(leases[0]).forEach((clip, place) => players[place].show(clip));
  }

  loadAhead(leases) {
    const atMost = leases[0].clips ? TRIALS_AHEAD : PAIRS_AHEAD;
    this.#clips.want(leases.slice(0, atMost).flatMap((lease) => clipsOf(lease).map((clip) => clip.audio)));
  }

  /** What the space bar does: `preferred`, or what sounds, or the first that was not heard, or what sounded last. */
  toggle(preferred) {
    const playing = this.#shown.find((player) => player.isPlaying);
    const unheard = this.#shown.find((player) => !player.isHeard);
    (preferred ?? playing ?? unheard ?? this.#sounding ?? this.#shown[0])?.toggle();
  }

  /** The player of a letter. */
  named(letter) {
    return this.#shown.find((player) => player.letter === letter);
  }

  stop() {
    for (const player of this.#shown) {
      player.stop();
    }
  }

  allow(isAllowed) {
    for (const player of this.#shown) {
      player.allow(isAllowed);
    }
  }

  /** Why the first that cannot be heard cannot, and in which place, from 1 on; or null. */
  get failure() {
    const index = this.#shown.findIndex((player) => player.failure);
    return index < 0 ? null : { ...this.#shown[index].failure, place: index + 1 };
  }

  #noteChange(player) {
    if (player.isPlaying && player !== this.#sounding) {
      const before = this.#sounding;
      this.#sounding = player;
      if (before?.isPlaying) {
        before.stop();
      }
    }
    this.dispatchEvent(new Event("change"));
  }
}
