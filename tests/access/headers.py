"""What every answer carries and no page of ours contains (T21)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from config.csp import ADMIN, ADMIN_PREFIX, PAYMENT_PAGES

FIXED = {
    "X-Content-Type-Options": {"nosniff"},
    "X-Frame-Options": {"DENY"},
    "Referrer-Policy": {"same-origin", "strict-origin-when-cross-origin"},
    "Cross-Origin-Opener-Policy": {"same-origin"},
}
STRICT = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
    "connect-src": "'self'", "base-uri": "'none'", "object-src": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
FORMS = ("'self'", *PAYMENT_PAGES, settings.SANDBOX_URL)
INLINE = {
    "a style attribute": re.compile(r"<[a-z][^<>]*\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)", re.IGNORECASE),
    "an event handler": re.compile(r"<[a-z][^<>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a script address": re.compile(r"[\"'\s=]javascript:", re.IGNORECASE),
    "a data address": re.compile(r"(?:src|href|action)\s*=\s*[\"']?data:", re.IGNORECASE),
}
ADDRESS = re.compile(
    r"<[a-z][^<>]*\s(?:src|href|action|hx-[a-z]+)=[\"']((?:[a-z]+:)?//[^\"']+)", re.IGNORECASE
)


def header_faults(path: str, answer: HttpResponse) -> list[str]:
    """What is missing or too wide in the headers of one answer."""
    found = [
        f"{name}: {answer.headers.get(name)!r}"
        for name, values in FIXED.items()
        if answer.headers.get(name) not in values
    ]
    found += policy_faults(path, answer.headers.get("Content-Security-Policy", ""))
    if "camera=()" not in answer.headers.get("Permissions-Policy", ""):
        found.append("no Permissions-Policy")
    return found + cookie_faults(answer)


def policy_faults(path: str, text: str) -> list[str]:
    """The strict policy to the letter; the theme, which evaluates, has one text of its own."""
    if path.startswith(ADMIN_PREFIX):
        return [] if text == ADMIN else [f"policy of the desk {text!r}"]
    parts = (one.strip().partition(" ") for one in text.split(";"))
    policy = {name: rest for name, _, rest in parts}
    forms = set(policy.pop("form-action", "").split()) - set(FORMS)
    return [] if policy == STRICT and not forms else [f"policy {text!r}"]


def cookie_faults(answer: HttpResponse) -> list[str]:
    return [
        f"cookie {name} without HttpOnly or SameSite=Lax"
        for name, one in answer.cookies.items()
        if one.value and not (one["httponly"] and one["samesite"] == "Lax")
    ]


def kept_faults(answer: HttpResponse, *, personal: bool) -> list[str]:
    """An answer about somebody stays in no cache, of a proxy or of a phone that is lent."""
    kept = "no-store" not in answer.headers.get("Cache-Control", "")
    return ["personal, and may be stored"] if personal and kept else []


def page_faults(path: str, answer: HttpResponse) -> list[str]:
    """Inline code and foreign addresses in a page. The theme's own pages are the one exception."""
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    text = answer.content.decode()
    found = [] if path.startswith(ADMIN_PREFIX) else inline_faults(text)
    hosts = {urlsplit(address).netloc for address in ADDRESS.findall(text)}
    own = urlsplit(settings.PORTAL_URL).netloc
    return found + [f"leads to {host}" for host in sorted(hosts - {own})]


def inline_faults(text: str) -> list[str]:
    return [what for what, pattern in INLINE.items() if pattern.search(text)]


def answer_faults(path: str, answer: HttpResponse, *, personal: bool) -> list[str]:
    return [
        *header_faults(path, answer),
        *kept_faults(answer, personal=personal),
        *page_faults(path, answer),
    ]
