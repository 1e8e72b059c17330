/* Several clips of one caption, one below the other, each with its own player and scales. */

import { fieldsIn } from "../answers/fields.js";
import { Row } from "../rows.js";
import { gettext, interpolate } from "../words.js";

export const words = {
  locked: gettext("Hear each sound to the end to unlock its scores."),
  openedAloud: gettext("You can score sound %(letter)s now."),
  practiceOver: gettext("Practice is over: from now on every score counts."),
  elsewhere: gettext("You have rated these sounds in another tab."),
  retrying: gettext("Not saved yet, trying again. Your scores are kept."),
  load: gettext("Sound %(letter)s could not be loaded. Press Play %(letter)s to try again, or skip all these sounds. This is not held against you."),
  decode: gettext("This browser cannot play sound %(letter)s. Press Play %(letter)s to try again, or skip all these sounds. This is not held against you."),
};

const OPENED = gettext("Score every sound. The scores are final after Next.");
const FIRST_LETTER = "A".charCodeAt(0);

/** Puts a row's own letter and number where the template says `__letter__` and `__place__`. */
function fill(node, letter, place) {
  const filled = (text) => text.replaceAll("__letter__", letter).replaceAll("__place__", String(place));
  for (const { name, value } of [...(node.attributes ?? [])]) {
    if (value.includes("__")) {
      node.setAttribute(name, filled(value));
    }
  }
  if (node.nodeType === Node.TEXT_NODE) {
    node.textContent = filled(node.textContent);
  }
  node.childNodes.forEach((child) => fill(child, letter, place));
}

export class Kind {
  #made = [];
  #template;
  #list;
  #players;

  /** `root` holds the kind's template. */
  constructor(root, players) {
    this.#players = players;
    this.#list = root.querySelector(".rows");
    this.#template = root.querySelector("template");
    this.rows = [];
    this.feedback = null;
    this.opened = OPENED;
  }

  /** Captions have more sounds or fewer. A row that was made stays, for phones allow sound to players once touched. */
  show({ clips }) {
    while (this.#made.length < clips.length) {
      this.#made.push(this.#make(this.#made.length));
    }
    this.rows = this.#made.slice(0, clips.length);
    for (const row of this.#made) {
      row.root.hidden = !this.rows.includes(row);
    }
  }

  body() {
    const [{ fields }] = this.rows;
    const scoresOf = (index) => this.rows.map((row) => Number(row.fields[index].value));
    return {
      heard: this.rows.map(({ players: [player] }) => player.evidence),
      scores: Object.fromEntries(fields.map((field, index) => [field.name, scoresOf(index)])),
    };
  }

  #make(index) {
    const root = this.#template.content.firstElementChild.cloneNode(true);
    const letter = String.fromCharCode(FIRST_LETTER + index);
    fill(root, letter, index + 1);
    this.#list.append(root);
    return new Row({
      root,
      players: [this.#players.add(root.querySelector(".player"))],
      fields: fieldsIn(root),
      openedAloud: interpolate(words.openedAloud, { letter }),
    });
  }
}
