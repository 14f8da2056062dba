/* What WeChat puts into every page it shows: here a payment is asked for on the sandbox's phone.
   A browser that plays WeChat runs this before the page (or pastes it into its console). */
(function () {
  "use strict";
  window.WeixinJSBridge = {
    invoke: function (name, request, done) {
      var known = ["getBrandWCPayRequest", "requestMedicalInsurancePay"];
      if (known.indexOf(name) < 0) return done({ err_msg: name + ":fail" });
      var asked = new URLSearchParams(request);
      asked.set("redirect_url", window.location.href);
      window.location.href = "{{sandbox}}/phone/wechat/bridge?" + asked.toString();
    },
  };
  document.dispatchEvent(new Event("WeixinJSBridgeReady"));
})();
