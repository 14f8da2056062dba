/* Comfort only: counts the seconds of a visit code down and asks for the next one. Without this
   file the page reloads by itself. A code that is over never stays on the screen. */
(function () {
  "use strict";
  var code = document.querySelector("[data-seconds]");
  if (!code) return;
  var left = code.querySelector("[data-left]");
  var ends = Date.now() + Number(code.dataset.seconds) * 1000;
  function tick() {
    var seconds = Math.ceil((ends - Date.now()) / 1000);
    left.textContent = String(Math.max(seconds, 0));
    if (seconds > 0) return;
    window.clearInterval(timer);
    code.querySelector(".qr").remove();
    code.querySelector(".timer").remove();
    if (navigator.onLine && !document.hidden) window.location.replace(code.dataset.again);
  }
  var timer = window.setInterval(tick, 500);
  // A phone that slept shows no old code when it wakes.
  document.addEventListener("visibilitychange", function () {
    if (document.hidden || Date.now() < ends) return;
    window.location.replace(code.dataset.again);
  });
})();
