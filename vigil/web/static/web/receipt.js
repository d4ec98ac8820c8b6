"use strict";
// The receipt's two conveniences, shown only where they work. Nothing is kept: the clipboard belongs to the person.
(() => {
  const tools = document.getElementById("receipt-tools");
  if (!tools) return;
  tools.hidden = false;
  const copy = tools.querySelector("[data-copy]");
  if (!navigator.clipboard) copy.remove();
  else
    copy.addEventListener("click", () => {
      const texts = copy.dataset.copy.split(" ").map((id) => document.getElementById(id).textContent.trim());
      navigator.clipboard.writeText(texts.join("\n")).then(() => {
        copy.textContent = copy.dataset.done;
      });
    });
  tools.querySelector("[data-print]").addEventListener("click", () => window.print());
})();
