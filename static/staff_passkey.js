/* Wires the library's own scripts to the login and to the page of passkeys. Without a browser that
   knows passkeys, or under a bare address, for which there are none, the button stays hidden. */
(function () {
  "use strict";
  var button = document.querySelector("[data-passkey]");
  if (!button || !window.PublicKeyCredential || /^[\d.]+$|:/.test(location.hostname)) return;
  button.hidden = false;
  button.addEventListener("click", function (event) {
    if (!button.form.reportValidity()) event.stopImmediatePropagation();
  });
  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    document.getElementById("passkey_failed").hidden = false;
  });
  var forms = window.allauth.webauthn.forms, ids = { credential: "id_passkey", data: "passkey_options" };
  if (button.dataset.passkey === "login") forms.loginForm({ ids: Object.assign(ids, { login: button.id }) });
  else forms.signupForm({ ids: Object.assign(ids, { signup: button.id }) });
})();
