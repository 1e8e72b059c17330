/* A row of the page: players, and the fields that open once their clips were heard to the end. */

export class Row {
  #wasOpen = false;

  /** `fields`: see answers/. `openedAloud` is said to screen readers when they open. */
  constructor({ root, players, fields, openedAloud }) {
    this.root = root;
    this.players = players;
    this.fields = fields;
    this.openedAloud = openedAloud;
    this.answers = root.querySelector(".answers") ?? root;
  }

  clear() {
    this.#wasOpen = false;
    for (const field of this.fields) {
      field.clear();
    }
  }

  get isHeard() {
    return this.players.every((player) => player.isHeard);
  }

  get isAnswered() {
    return this.fields.every((field) => field.value !== "");
  }

  get unanswered() {
    return this.fields.find((field) => field.value === "");
  }

  contains(node) {
    return this.root.contains(node);
  }

  /** Locks or opens the fields; `isOpen` is whether anything may be answered at all. Returns whether the clips were
      heard to the end just now. */
  draw(isOpen) {
    for (const field of this.fields) {
      field.lock(!(isOpen && this.isHeard));
    }
    this.answers.classList.toggle("is-locked", !(isOpen && this.isHeard));
    this.answers.hidden = this.players.some((player) => player.failure);
    const isNew = this.isHeard && !this.#wasOpen;
    this.#wasOpen = this.isHeard;
    return isNew;
  }
}

/** Where a typed digit goes: to the question that has the focus, or to the first of its row, or of the page, that has no
    answer yet; where all have one, to the only one there is. */
export function fieldToType(rows, focused) {
  const ownRow = rows.find((row) => row.contains(focused));
  const own = ownRow?.fields.find((field) => field.contains(focused));
  if (own) {
    return own;
  }
  const heardFirst = [...rows.filter((row) => row.isHeard), ...rows];
  const lacking = ownRow?.unanswered ?? heardFirst.find((row) => row.unanswered)?.unanswered;
  const all = (ownRow ? [ownRow] : rows).flatMap((row) => row.fields);
  return lacking ?? (all.length === 1 ? all[0] : null);
}

/** Where Enter goes on while something is missing: a question without an answer, or a clip that was not heard. */
export function whatIsMissing(rows) {
  const row = rows.find((one) => one.isHeard && !one.isAnswered);
  return row?.unanswered ?? rows.flatMap((one) => one.players).find((player) => !player.isHeard);
}
