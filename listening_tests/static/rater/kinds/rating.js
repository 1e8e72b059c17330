/* Ratings of one clip at a time, on one scale or several. */

import { fieldsIn } from "../answers/fields.js";
import { Feedback } from "../practice.js";
import { Row } from "../rows.js";
import { gettext } from "../words.js";

export const words = {
  locked: gettext("Hear the whole sound to unlock the scores."),
  openedAloud: gettext("You can choose a score now."),
  practiceOver: gettext("Practice is over: from now on every score counts."),
  elsewhere: gettext("You have rated this sound in another tab."),
  retrying: gettext("Not saved yet, trying again. Your scores are kept."),
  load: gettext("The sound could not be loaded. Press Play to try again, or skip it. This is not held against you."),
  decode: gettext("This browser cannot play the sound. Press Play to try again, or skip it. This is not held against you."),
};

const OPEN_SCALE = gettext("Choose a score. It is final after Next.");
const OPEN_LINE = gettext("Set a mark on the line. It is final after Next.");
const OPEN_SEVERAL = gettext("Answer each question. The scores are final after Next.");

export class Kind {
  /** `root` holds the kind's template. */
  constructor(root, players) {
    this.fields = fieldsIn(root);
    const player = players.add(root.querySelector(".player"));
    this.rows = [new Row({ root, players: [player], fields: this.fields, openedAloud: words.openedAloud })];
    this.feedback = new Feedback(this.fields[0]);
    const [field, ...others] = this.fields;
    this.opened = others.length ? OPEN_SEVERAL : field.root.querySelector(".line") ? OPEN_LINE : OPEN_SCALE;
  }

  show() {}

  body() {
    const [{ players }] = this.rows;
    const scores = Object.fromEntries(this.fields.map((field) => [field.name, Number(field.value)]));
    const answer = this.fields.length === 1 ? { score: Number(this.fields[0].value) } : { scores };
    return { ...players[0].evidence, ...answer };
  }
}
