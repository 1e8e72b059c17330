/* What was given and not yet acknowledged, kept by the browser itself: in IndexedDB, which outlives the page, the tab and
   the device's battery; in memory alone where a browser has no IndexedDB or it fails. */

const DATABASE = "earmark";
const STORE = "outbox";
// Some browsers never answer the first time that a database is opened.
const OPENING_MS = 2_000;

function opened() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    setTimeout(() => reject(new Error("IndexedDB does not answer.")), OPENING_MS);
    opening.onerror = () => reject(opening.error);
    opening.onupgradeneeded = () => {
      // Numbered as they are given, and never two for one assignment, whoever adds them.
      const store = opening.result.createObjectStore(STORE, { keyPath: "order", autoIncrement: true });
      store.createIndex("assignment", "assignment", { unique: true });
      store.createIndex("sitting", "sitting");
    };
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      resolve(database);
    };
  });
}

function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB gave up."));
  });
}

export class OutboxStore {
  #database = null;
  #isBroken = false;
  #memory = new Map(); // by assignment
  #gone = new Set(); // assignments that the server answered for, should they not go from the disk

  /** Resolves once `entry` is kept; to false where its assignment has an entry already, which stays as it is. */
  async add(entry) {
    if (this.#memory.has(entry.assignment)) {
      return false;
    }
    try {
      await this.#transact("readwrite", (store) => store.add(entry));
    } catch (error) {
      if (error.name === "ConstraintError") {
        return false;
      }
      this.#memory.set(entry.assignment, entry);
    }
    return true;
  }

  /** The entries of a sitting, in the order in which they were given. */
  async waiting(sitting) {
    let kept = [];
    try {
      kept = await this.#transact("readonly", (store) => store.index("sitting").getAll(sitting));
    } catch {
      // Nothing could be read: what this page knows is in memory.
    }
    const inMemory = [...this.#memory.values()].filter((entry) => entry.sitting === sitting);
    const all = [...kept.sort((one, other) => one.order - other.order), ...inMemory];
    return all.filter((entry) => !this.#gone.has(entry.assignment));
  }

  async forget(entry) {
    this.#gone.add(entry.assignment);
    this.#memory.delete(entry.assignment);
    try {
      await (entry.order && this.#transact("readwrite", (store) => store.delete(entry.order)));
    } catch {
      // Sent once more by the page that comes after this one; the server knows it then.
    }
  }

  async #transact(mode, act) {
    try {
      return await this.#attempt(mode, act);
    } catch (error) {
      if (error.name === "ConstraintError" || this.#isBroken) {
        throw error;
      }
      // Phones cut the connection of a page that slept: open it again, once.
      this.#database = null;
      return this.#attempt(mode, act);
    }
  }

  async #attempt(mode, act) {
    const database = await this.#open();
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const request = act(transaction.objectStore(STORE));
    await committed(transaction);
    return request.result;
  }

  async #open() {
    try {
      this.#database ??= opened();
      return await this.#database;
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }
}
