"""What is measured of a page in the browser: targets, cut text, contrast, letters, shifts of the
layout, breaches of the policy."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage

# A label of a field elsewhere is no target of its own: the field is.
SMALL = """least => [...document.querySelectorAll(
    'a, button, summary, select, textarea, .field, label:not([for])')]
  .filter(e => !e.matches('.skip'))
  .map(e => [e.textContent.trim(), e.getBoundingClientRect()])
  .filter(([, r]) => r.width && (r.width < least - .1 || r.height < least - .1))
  .map(([text, r]) => `${text} ${r.width}x${r.height}`)"""
CUT = """() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('svg') && !e.matches('.skip'))
  .filter(e => { const home = e.parentElement.closest('.card, .button, .banner, body');
    return e.getBoundingClientRect().right > home.getBoundingClientRect().right + .5; })
  .map(e => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)}`)"""
# WCAG 2.x contrast of every text with the nearest painted background behind it.
PALE = """() => {
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const lum = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')]
    .filter(e => !e.closest('svg') && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
    .map(e => { const a = lum(rgb(getComputedStyle(e).color)), b = lum(ground(e));
      return [e.textContent.trim().slice(0, 20),
        (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]; })
    .filter(([, ratio]) => ratio < 4.5); }"""
FONTS = """() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('svg') && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize))"""
# What moved under the reader's eyes since the page began, without a press: the sum of all shifts,
# and what moved. Two frames and a moment later, so that a late style or script is in it.
SHIFTS = """() => new Promise(done => {
  const found = [];
  new PerformanceObserver(list => { for (const one of list.getEntries())
    if (!one.hadRecentInput) found.push([one.value, one.sources.map(s =>
      s.node && s.node.outerHTML ? s.node.outerHTML.slice(0, 80) : '?')]); })
    .observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(found), 60)));
})"""


def policy_fault(line: ConsoleMessage) -> list[str]:
    """The console's line, if it tells of a breach of our policy."""
    told = "Content Security Policy" in line.text or "Permissions" in line.text
    return [line.text] if told else []
