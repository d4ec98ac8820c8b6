// Passkeys. A form says what it needs: data-passkey="create" or "get"; options stand in the page (data-options, an id) or are
// fetched from the form's own address. The answer goes into the hidden field "credential" and the form is sent as usual.
(function () {
  "use strict";

  function problemOf(form) { return form.querySelector("[data-passkey-problem]"); }

  function show(form, kind) {
    const box = problemOf(form);
    box.textContent = box.dataset[kind] || box.dataset.failed;
    box.hidden = false;
  }

  async function optionsFor(form) {
    if (form.dataset.options) {
      return JSON.parse(document.getElementById(form.dataset.options).textContent);
    }
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) { throw new Error("options"); }
    return answer.json();
  }

  async function ask(form) {
    const options = await optionsFor(form);
    if (form.dataset.passkey === "create") {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.creation_options.publicKey);
      return navigator.credentials.create({ publicKey });
    }
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.request_options.publicKey);
    return navigator.credentials.get({ publicKey });
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    const button = form.querySelector("button[type=submit]");
    if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
      button.disabled = true;
      show(form, "unsupported");
      return;
    }
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      problemOf(form).hidden = true;
      button.disabled = true;
      try {
        const credential = await ask(form);
        form.elements.credential.value = JSON.stringify(credential.toJSON());
        form.submit();
      } catch (error) {
        button.disabled = false;
        show(form, error.name === "NotAllowedError" ? "cancelled" : error.name === "InvalidStateError" ? "known" : "failed");
      }
    });
  });
}());
