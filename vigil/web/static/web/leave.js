"use strict";
// Leave quickly: hide the page at once, then go, without an entry to come back to. Without scripts the link does it alone.
(() => {
  const link = document.getElementById("leave");
  if (!link) return;
  let presses = [];
  const leave = () => {
    document.documentElement.classList.add("left");
    document.title = "";
    window.location.replace(link.href);
  };
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift") {
      presses = [];
      return;
    }
    presses = presses.filter((time) => event.timeStamp - time < 5000).concat(event.timeStamp);
    if (presses.length >= 3) leave();
  });
})();
