// The least contrast of text and of a field's edge, after the relative luminance of WCAG 2.2. The background is the nearest
// one up the tree that is not see-through.
() => {
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (part) => {
    for (let here = part; here; here = here.parentElement) {
      const colour = parse(getComputedStyle(here).backgroundColor);
      if (colour[3] > 0.99) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
  };
  const ratio = (one, other) => {
    const [most, least] = [light(one), light(other)].sort((first, second) => second - first);
    return (most + 0.05) / (least + 0.05);
  };
  let text = 99;
  let edge = 99;
  for (const part of document.querySelectorAll("body *")) {
    const visible = part.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!visible || part.closest(".visually-hidden, .trap, .skip, [disabled]")) continue;
    const style = getComputedStyle(part);
    if ([...part.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
      text = Math.min(text, ratio(parse(style.color), behind(part)));
    if (part.matches("input[type=text], textarea, select"))
      edge = Math.min(edge, ratio(parse(style.borderTopColor), behind(part.parentElement)));
  }
  return [text, edge];
}
