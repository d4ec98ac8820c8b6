// What is filled in on the question page.
() =>
  [...document.querySelectorAll("#step input, #step textarea, #step select")]
    .filter((part) => part.type !== "hidden" && part.name !== "trap")
    .map((part) => [part.name, part.value, part.checked || false].join(" "))
