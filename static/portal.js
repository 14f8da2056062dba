/* Comfort only: every page works without this file, and the server alone prevents a second payment. */
(function () {
  "use strict";
  // A page shown again by "back" may be older than the payment: ask the server.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) window.location.reload();
  });
  // One press, one submission; the words on the button say that it was heard.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    var button = event.submitter || form.querySelector("button[type=submit]");
    if (!button || !button.dataset.wait) return;
    window.setTimeout(function () {
      button.disabled = true;
      button.textContent = button.dataset.wait;
    }, 0);
  });
})();
