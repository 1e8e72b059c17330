/* The fields of a part of the page, one for each question, in their order.

   A field has a `name`, that of its question, and a `value`, a text that is "" until it is answered; `clear()`,
   `lock(isLocked)`, `type(character)`, `contains(node)`, `focus()` and `markExpected(range)`. The form gets a "change"
   event when a value has changed. */

import { Choices } from "./choices.js";
import { Line } from "./line.js";

function fieldOf(root) {
  return root.querySelector(".line") ? new Line(root) : new Choices(root);
}

export function fieldsIn(root) {
  return [...root.querySelectorAll("[data-question]")].map(fieldOf);
}
