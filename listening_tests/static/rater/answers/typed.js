/* Reads what is typed as a value of a scale. */

/** `isValue(text)`: whether it is on the scale; `isBegun(text)`: whether more may make it one. */
export class TypedValue {
  constructor({ isValue, isBegun }) {
    this.isValue = isValue;
    this.isBegun = isBegun;
    this.forget();
  }

  /** What is typed next begins anew. */
  forget() {
    this.typed = "";
    this.value = "";
  }

  /** The value that is meant so far, or "" where there is none. A character belongs to the one before it as long as
      that one's value stays `chosen`, however slowly somebody types: 1, 0 is 10. */
  read(character, chosen) {
    const longer = (this.typed && chosen === this.value ? this.typed : "") + character;
    this.typed = this.isValue(longer) || this.isBegun(longer) ? longer : character;
    const isMeant = this.isValue(this.typed);
    // What is begun leaves the value as it was: "6." is still 6.
    this.value = isMeant ? this.typed : chosen;
    return isMeant ? this.typed : "";
  }
}
