// What is pressed and is smaller than 44 pixels in one direction. Links inside a sentence are not targets of their own (WCAG 2.5.8).
() =>
  [
    ...document.querySelectorAll(
      "a.button, button, .choice, input[type=text], select, textarea, summary, main li > a:only-child, nav a, a.back, .language, .brand",
    ),
  ]
    .filter((part) => part.checkVisibility() && !part.closest(".visually-hidden, .trap, .skip"))
    .filter((part) => !(part.tagName === "A" && part.parentElement.innerText.trim() !== part.innerText.trim() && part.matches("li > a")))
    .filter((part) => {
      const box = part.getBoundingClientRect();
      return box.height < 43.5 || box.width < 43.5;
    })
    .map((part) => `${part.tagName}.${part.className} ${part.innerText.slice(0, 20)}`)
