"""What a page of ours may load, frame and ask of the device: its own files, nothing else.

The admin theme's pages get a policy of their own, which still allows no foreign origin and no
script in the page: every script is a file of ours. Two things stay open for the theme. Its Alpine
makes functions of the expressions in its attributes ('unsafe-eval'); Alpine's own CSP build takes
no expressions but names, so all 43 of the theme's templates that use them would have to be
rewritten as components. And it writes its colours as a style element and moves parts by style
attributes ('unsafe-inline' for styles); hashes do not cover attributes.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# A form may end at these: a wallet's payment page or login is reached by a redirect after a POST.
PAYMENT_PAGES: tuple[str, ...] = (
    "https://wx.tenpay.com",
    "https://open.weixin.qq.com",
    # Its login, and its gateway, which leads on to the payment page of another host.
    "https://*.alipay.com",
)
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment")
)
BASE = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    f"connect-src 'self'; form-action 'self' {{forms}}; {BASE}"
)
ADMIN = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    f"connect-src 'self'; form-action 'self'; {BASE}"
)
ADMIN_PREFIX = "/admin/"


class ContentSecurityPolicy:
    """Sets both headers on every answer that does not bring its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        forms = PAYMENT_PAGES if settings.PRODUCTION else (*PAYMENT_PAGES, settings.SANDBOX_URL)
        self.strict = STRICT.format(forms=" ".join(forms))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        policy = ADMIN if request.path.startswith(ADMIN_PREFIX) else self.strict
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return answer
