/* Asks the WeChat that shows this page for the payment, once by itself and then on every press.
   What it answers is no proof: the result page asks the server. */
(function () {
  "use strict";
  var box = document.getElementById("wallet");
  if (!box) return;
  var press = box.querySelector("button");
  var left = document.getElementById("wallet-left");
  var silent = document.getElementById("wallet-silent");
  function ask() {
    left.hidden = true;
    silent.hidden = true;
    var request = JSON.parse(box.dataset.request);
    var verb = request.mixTradeNo ? "requestMedicalInsurancePay" : "getBrandWCPayRequest";
    window.WeixinJSBridge.invoke(verb, request, function (answer) {
      var said = ((answer && answer.err_msg) || "").split(":").pop();
      if (said === "ok") window.location.replace(box.dataset.result);
      else if (said === "cancel") left.hidden = false;
      else silent.hidden = false;
    });
  }
  function firstTime() {
    try {
      var known = window.sessionStorage.getItem("wallet") === box.dataset.request;
      window.sessionStorage.setItem("wallet", box.dataset.request);
      return !known;
    } catch (_refused) {
      return false;
    }
  }
  function ready() {
    silent.hidden = true;
    press.hidden = false;
    press.addEventListener("click", ask);
    if (firstTime()) ask();
  }
  if (window.WeixinJSBridge) return ready();
  document.addEventListener("WeixinJSBridgeReady", ready, { once: true });
  window.setTimeout(function () {
    if (!window.WeixinJSBridge) silent.hidden = false;
  }, 3000);
})();
