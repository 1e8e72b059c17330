/* The sentences of the scripts in the language of the page, whose catalogue stands in the page itself. What the catalogue
   does not hold is said in English. */

function read() {
  const { messages, plural } = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
  return { messages: new Map(Object.entries(messages ?? {})), plural: plural ?? "" };
}

const { messages, plural } = read();

/** Which form of a plural `n` takes: by a table of the first numbers, after which the last two digits decide. */
function formOf(n) {
  const index = n < plural.length ? n : plural.length - 100 + (n % 100);
  return Number(plural[index]);
}

/** A whole sentence; `%(name)s` in it is for interpolate. */
export function gettext(text) {
  return messages.get(text) || text;
}

export function ngettext(one, many, n) {
  return messages.get(one)?.[formOf(n)] || (n === 1 ? one : many);
}

/** Puts `values` into a sentence by their names. */
export function interpolate(text, values) {
  return text.replaceAll(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}
