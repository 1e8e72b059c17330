/* Which pair or trial comes next: the server's newest word, less what was given since it was said. */

export class Queue {
  #given = new Set();

  constructor(state) {
    this.adopt(state);
  }

  adopt(state) {
    this.state = state;
  }

  markGiven(assignment) {
    this.#given.add(assignment);
  }

  /** What was given out and is not answered, the next one first. */
  get leases() {
    const { next, ahead = [] } = this.state;
    return [next, ...ahead].filter((lease) => lease && !this.#given.has(lease.assignment));
  }

  /** Where to go when nothing is left to rate; null while the server has not said so. */
  get done() {
    return this.state.done;
  }
}
