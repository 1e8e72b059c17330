/* Paired comparisons: two clips of one caption, A and B, and which of them answers a question better. */

import { fieldsIn } from "../answers/fields.js";
import { Row } from "../rows.js";
import { gettext } from "../words.js";

export const words = {
  locked: gettext("Hear both sounds to the end to unlock the answers."),
  openedAloud: gettext("You can choose an answer now."),
  practiceOver: gettext("Practice is over: from now on every answer counts."),
  elsewhere: gettext("You have compared these sounds in another tab."),
  retrying: gettext("Not saved yet, trying again. Your answers are kept."),
  load: gettext("Sound %(letter)s could not be loaded. Press Play %(letter)s to try again, or skip both sounds. This is not held against you."),
  decode: gettext("This browser cannot play sound %(letter)s. Press Play %(letter)s to try again, or skip both sounds. This is not held against you."),
};

const OPENED = gettext("Choose an answer. It is final after Next.");
const OPENED_SEVERAL = gettext("Answer each question. The answers are final after Next.");

export class Kind {
  /** `root` holds the kind's template. */
  constructor(root, players) {
    this.fields = fieldsIn(root);
    const both = [...root.querySelectorAll(".player")].map((each) => players.add(each));
    this.rows = [new Row({ root, players: both, fields: this.fields, openedAloud: words.openedAloud })];
    this.feedback = null;
    this.opened = this.fields.length === 1 ? OPENED : OPENED_SEVERAL;
  }

  show() {}

  body() {
    return {
      heard: this.rows[0].players.map((player) => player.evidence),
      choices: Object.fromEntries(this.fields.map((field) => [field.name, field.value])),
    };
  }
}
