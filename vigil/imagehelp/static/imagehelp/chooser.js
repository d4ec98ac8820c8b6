// The page that chooses files: hands them to the worker, says in words how far it is, and puts fingerprints into the form.
// Files, their names and pictures of them stay in this page. The input for files has no name and belongs to no form.
"use strict";

(() => {
  const box = document.getElementById("chooser");
  if (!box || !window.Worker || !window.OffscreenCanvas || !window.createImageBitmap) return;
  const said = box.dataset;
  const input = document.getElementById("files");
  const list = document.getElementById("fingerprints");
  const progress = document.getElementById("progress");
  const entries = new Map(); // id -> what the list shows of one file
  const waiting = [];
  let counter = 0;
  let doneOfRound = 0;
  let allOfRound = 0;

  // ---- workers: two where the device has the processors for it ----
  const script = window.trustedTypes
    ? window.trustedTypes.createPolicy("vigil", { createScriptURL: (url) => url }).createScriptURL(said.worker)
    : said.worker;
  const workers = Array.from({ length: (navigator.hardwareConcurrency || 1) > 2 ? 2 : 1 }, () => {
    const slot = { worker: new Worker(script), id: null };
    slot.worker.addEventListener("message", ({ data }) => (data.state ? finish(slot, data) : tell(data)));
    slot.worker.addEventListener("error", () => cannotRun());
    return slot;
  });

  function feed() {
    for (const slot of workers) {
      if (slot.id !== null || waiting.length === 0) continue;
      const next = waiting.shift();
      slot.id = next.id;
      slot.worker.postMessage(next);
    }
  }

  function cannotRun() {
    box.hidden = true;
    document.getElementById("without").hidden = false;
  }

  // ---- what is said ----
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function sayProgress() {
    const ready = list.querySelectorAll('input[name="fingerprint"]').length;
    const working = doneOfRound < allOfRound;
    progress.textContent = working
      ? fill(said.working, { number: doneOfRound + 1, all: allOfRound })
      : fill(ready === 1 ? said.one : said.ready, { number: ready, all: allOfRound });
    list.hidden = list.children.length === 0;
  }

  function tell({ id, share }) {
    const entry = entries.get(id);
    if (entry) entry.state.textContent = fill(said.part, { percent: Math.floor(share * 100) });
  }

  function finish(slot, { id, state, value }) {
    slot.id = null;
    doneOfRound += 1;
    const entry = entries.get(id);
    if (entry) show(entry, state, value);
    sayProgress();
    feed();
  }

  function show(entry, state, value) {
    const isKnown = state === "ready" && [...list.querySelectorAll('input[name="fingerprint"]')].some(
      (one) => one.value.split(":")[1] === value.split(":")[1],
    );
    if (state !== "ready" || isKnown) {
      entry.state.textContent = said[isKnown ? "already" : state.replace("_b", "B").replace("_p", "P")];
      return;
    }
    const digits = value.split(":")[1];
    entry.state.textContent = said.ok;
    entry.digits.textContent = `${digits.slice(0, 6)} … ${digits.slice(-6)}`;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "fingerprint";
    field.value = value;
    entry.item.append(field);
  }

  // ---- the list ----
  function part(name, text) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    return element;
  }

  function add(file) {
    const id = (counter += 1);
    const item = part("li");
    const words = part("span");
    const state = part("span", said.waiting);
    const digits = part("span");
    const remove = part("button", said.remove);
    remove.type = "button";
    remove.className = "button button--quiet";
    remove.append(Object.assign(part("span", ` ${file.name}`), { className: "visually-hidden" }));
    remove.addEventListener("click", () => takeOut(id, item));
    digits.className = "mono quiet nowrap";
    words.append(part("strong", file.name), part("br"), state, " ", digits);
    item.append(words, remove);
    list.append(item);
    entries.set(id, { item, state, digits });
    waiting.push({ id, file });
    allOfRound += 1;
  }

  function takeOut(id, item) {
    const place = waiting.findIndex((one) => one.id === id);
    if (place >= 0) {
      waiting.splice(place, 1);
      allOfRound -= 1;
    }
    entries.delete(id);
    const next = item.nextElementSibling || item.previousElementSibling;
    item.remove();
    sayProgress();
    (next ? next.querySelector("button") : input).focus();
  }

  input.addEventListener("change", () => {
    if (doneOfRound === allOfRound) doneOfRound = allOfRound = 0;
    for (const file of input.files) add(file);
    const problem = document.querySelector(".error-summary");
    if (problem) problem.remove(); // "choose something first": that was done now
    input.value = ""; // the same file may be chosen again after it was removed
    sayProgress();
    feed();
  });

  // What the server kept from before: its buttons work without this script, too; here they need no trip.
  for (const item of list.children) {
    item.querySelector("button").addEventListener("click", (event) => {
      event.preventDefault();
      takeOut(0, item);
    });
  }

  box.hidden = false;
  document.getElementById("without").hidden = true;
})();
