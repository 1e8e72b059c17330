"use strict";
/* What the dashboard's pages do in the browser beside charts: play held-out clips, sort tables, copy an address. */
(() => {
  const text = (value) => document.createTextNode(value);

  /* A held-out pair, by the number of its point, is heard and described in the player; its row, if any, is marked. */
  function play(id) {
    const source = document.getElementById("scatter");
    const player = document.getElementById("player");
    const point = source && JSON.parse(source.textContent).points.find((each) => each.id === id);
    if (!point || !player) return;
    const words = {
      caption: point.caption,
      human: point.human.toFixed(1),
      ratings: String(point.ratings),
      tuned: point.tuned.toFixed(2),
      base: point.base.toFixed(2),
    };
    for (const field of player.querySelectorAll("[data-field]")) field.replaceChildren(text(words[field.dataset.field]));
    for (const other of document.querySelectorAll("tr[data-pair][aria-current]")) other.removeAttribute("aria-current");
    document.querySelector(`tr[data-pair="${id}"]`)?.setAttribute("aria-current", "true");
    player.hidden = false;
    listen(player, point.audio);
    document.dispatchEvent(new CustomEvent("earmark:chosen", { detail: { id } }));
  }

  function listen(player, address) {
    const audio = player.querySelector("audio");
    const problem = player.querySelector("[data-problem]");
    problem.hidden = true;
    audio.pause();
    audio.hidden = !address;
    if (!address) {
      audio.removeAttribute("src");
      problem.textContent = "This clip came in without its sound, so there is nothing to play.";
      problem.hidden = false;
      return;
    }
    audio.src = address;
    audio.play().catch((error) => {
      if (error.name === "AbortError") return;
      problem.textContent = "The clip could not be played. Its file may be missing on the server; see the clip in the admin.";
      problem.hidden = false;
    });
  }

  function cellValue(row, column, asNumber) {
    const value = row.cells[column].textContent.trim();
    return asNumber ? Number.parseFloat(value) : value.toLocaleLowerCase();
  }

  function sort(button) {
    const header = button.closest("th");
    const body = header.closest("table").tBodies[0];
    const descending = header.getAttribute("aria-sort") !== "descending";
    const asNumber = button.dataset.sort === "number";
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const keyed = [...body.rows].map((row) => [cellValue(row, header.cellIndex, asNumber), row]);
    const order = descending ? -1 : 1;
    keyed.sort(([a], [b]) => order * (a < b ? -1 : a > b ? 1 : 0));
    body.append(...keyed.map(([, row]) => row));
  }

  async function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      // Without https a browser may keep its clipboard closed: the person copies what is selected.
      field.select();
      button.textContent = "Selected: press Ctrl+C";
    }
  }

  /* Of many tabs on a narrow screen, the one that is open is seen. */
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.play) play(Number(button.dataset.play));
    else if (button?.dataset.sort) sort(button);
    else if (button?.dataset.copy) copy(button);
  });
  document.addEventListener("earmark:point", (event) => play(event.detail.id));
  /* Signed out meanwhile, or the server is away: what is shown is no longer live, and the page says so. */
  document.addEventListener("htmx:response:error", () => toggleStale(false));
  document.addEventListener("htmx:error", () => toggleStale(false));
  document.addEventListener("htmx:after:swap", () => toggleStale(true));

  function toggleStale(fresh) {
    for (const note of document.querySelectorAll("[data-stale-note]")) note.hidden = fresh;
  }
})();
