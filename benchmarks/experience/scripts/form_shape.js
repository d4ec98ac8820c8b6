// The fields of the question page, in order, without their words.
() =>
  [...document.querySelectorAll("#step input, #step textarea, #step select, #step button")]
    .filter((part) => part.type !== "hidden")
    .map((part) => {
      const fixed = ["radio", "checkbox", "submit"].includes(part.type);
      return [part.tagName, part.type, part.name, fixed ? part.value : "", part.hasAttribute("aria-describedby")].join(" ");
    })
