/* Keys and comfort of the window; every page works without this file. */
(function () {
  "use strict";
  var search = document.getElementById("q");
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    if (/^F\d+$/.test(event.key)) {
      var target = document.querySelector('[data-key="' + event.key + '"]');
      if (target) { event.preventDefault(); target.click(); }
    }
  });
  // One press, one submission; the server alone prevents a second effect.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    var button = event.submitter;
    if (!button || !button.dataset.wait) return;
    window.setTimeout(function () { button.disabled = true; button.textContent = button.dataset.wait; }, 0);
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) window.location.reload(); });
  // The waiting page asks for a word, and loads again only when that word has changed.
  var watch = document.querySelector("[data-watch]");
  if (watch) {
    var asked = 0;
    var look = function () {
      asked += 1;
      fetch(watch.dataset.watch, { headers: { Accept: "application/json" } })
        .then(function (answer) { return answer.json(); })
        .then(function (body) {
          if (body.state !== watch.dataset.state) window.location.reload();
          else window.setTimeout(look, asked < 20 ? 1500 : 5000);
        })
        .catch(function () { window.setTimeout(look, 5000); });
    };
    window.setTimeout(look, 1500);
  }
  // The theme shows its pages late, after the browser has given the focus away.
  var first = document.querySelector("[data-scan], [autofocus], .desk form .wrong");
  if (first) {
    window.setTimeout(function () {
      first.focus({ preventScroll: true });
      // What a search kept is mended by hand, or replaced whole by the next scan.
      if (first === search && first.value) first.select();
    }, 60);
  }
  // What is given is read as money fields are on the server (`core.money.YuanField`).
  var half = function (sign) {
    var at = "\uff0e\u3002\uff0c\uffe5\u3000".indexOf(sign);
    return at < 0 ? String.fromCharCode(sign.charCodeAt(0) - 0xfee0) : "..,\u00a5 "[at];
  };
  var fenOf = function (typed) {
    var text = typed.replace(/[\uff10-\uff19\uff0e\u3002\uff0c\uffe5\u3000]/g, half).trim();
    text = text.replace(/^\u00a5/, "").replace(/\u5143$/, "").trim();
    var match = /^(\d{1,8}|\d{1,3}(?:,\d{3}){1,2})(?:\.(\d{1,2}))?$/.exec(text);
    if (!match) return null;
    return Number(match[1].replace(/,/g, "")) * 100 + Number(((match[2] || "") + "00").slice(0, 2));
  };
  var yuan = function (fen) {
    return "\u00a5" + (fen / 100).toFixed(2).replace(/\B(?=(?:\d{3})+\.)/g, ",");
  };
  var change = document.querySelector(".change");
  if (change) {
    change.hidden = false;
    var due = Number(change.dataset.due), given = change.querySelector("input"), out = change.querySelector("output");
    var press = document.querySelector('[data-key="F2"]');
    given.addEventListener("input", function () {
      var fen = fenOf(given.value), short = fen !== null && fen < due, words = change.dataset;
      // Nothing typed is nothing said: who counts the money by hand takes it without this field.
      if (fen === null) out.textContent = given.value.trim() ? words.unread : words.change + " \u2014";
      else out.textContent = (short ? words.short : words.change) + " " + yuan(Math.abs(fen - due));
      out.classList.toggle("short", short);
      press.disabled = short;
    });
  }
})();
