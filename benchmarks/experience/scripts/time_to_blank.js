// Says on the console how long it takes from the key or click until nothing of the page is shown.
() => {
  let begun = 0;
  const look = () => {
    const root = document.documentElement;
    const shown = document.body.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && root.checkVisibility();
    if (shown) requestAnimationFrame(look);
    else console.log(`blank after ${performance.now() - begun}`);
  };
  const start = () => {
    begun = performance.now();
    requestAnimationFrame(look);
  };
  addEventListener("click", start, { capture: true });
  addEventListener("keyup", start, { capture: true });
}
