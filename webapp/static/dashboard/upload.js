"use strict";
/* Sends an upload with a bar that tells how far it is. Without this script the form sends itself, only unseen. */
(() => {
  const form = document.querySelector("form[data-upload]");
  const sending = form?.querySelector("[data-sending]");
  if (!form) return;
  const button = form.querySelector("button:not([type])");
  const bar = sending.querySelector("progress");
  const words = sending.querySelector("[data-sent]");
  let request = null;

  const megabytes = (bytes) => Math.round(bytes / 1024 ** 2).toLocaleString("en");

  function tell(sentence, isOver = false) {
    words.textContent = sentence;
    sending.hidden = false;
    bar.hidden = isOver;
    sending.querySelector("[data-abort]").hidden = isOver;
    button.disabled = !isOver;
  }

  function end(sentence) {
    request = null;
    tell(sentence, true);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (request) return;
    const archive = form.elements.archive.files[0];
    if (archive.size > Number(form.dataset.largest)) {
      end(`The zip has ${megabytes(archive.size)} MB; the limit is ${megabytes(form.dataset.largest)} MB. Upload it in parts.`);
      return;
    }
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    let told = 0;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = loaded / total;
      // Not with every packet: a screen reader says each.
      if (loaded < total && Date.now() - told < 2000) return;
      told = Date.now();
      tell(loaded < total ? `${megabytes(loaded)} of ${megabytes(total)} MB sent.` : "All is sent; the server puts it away.");
    });
    request.addEventListener("load", () => {
      const answer = request.response;
      if (request.status < 400) location.assign(answer?.location ?? request.responseURL);
      else end(`The server refused the upload (${request.status}). Load this page anew, and try again.`);
    });
    request.addEventListener("error", () => end("The connection broke. Nothing was taken in; try again."));
    request.addEventListener("abort", () => end("The upload was stopped. Nothing was taken in."));
    request.send(new FormData(form));
    tell("Sending.");
  });
  sending.querySelector("[data-abort]").addEventListener("click", () => request?.abort());
  window.addEventListener("beforeunload", (event) => {
    if (request && request.readyState < 4) event.preventDefault();
  });
})();
