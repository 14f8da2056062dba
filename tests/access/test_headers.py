"""T21, what the walk cannot see: production's own settings, and every template as it is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.access.headers import inline_faults
from tests.conftest import ROOT, ProofReport

pytestmark = pytest.mark.proof("T21")
# The theme's frame under /admin/ has a policy of its own; what we write into it needs none.
YEAR_S = 365 * 86400
ASKED = """
import json
from django.conf import settings as s
import django
django.setup()
from django.urls import Resolver404, resolve
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
         "CSRF_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE",
         "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS",
         "SECURE_CONTENT_TYPE_NOSNIFF", "X_FRAME_OPTIONS", "DEBUG", "SECURE_REDIRECT_EXEMPT",
         "STAFF_SECOND_FACTOR")
told = {name: getattr(s, name) for name in names}
try:
    resolve("/_dev/clock")
    told["dev_clock"] = True
except Resolver404:
    told["dev_clock"] = False
print(json.dumps(told))
"""


def test_production_serves_over_tls_only_with_guarded_cookies(
    tmp_path: Path, proof_report: ProofReport
) -> None:
    # given a production with nothing but what it needs to start
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PORTAL_ENV": "production", "PORTAL_VAR_DIR": str(tmp_path),
        "PORTAL_SECRET_KEY": "k" * 60, "PORTAL_HOSTS": "pay.example",
        "PORTAL_URL": "https://pay.example", "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
    }  # fmt: skip
    # when a fresh process reads its settings
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    # then cookies travel over TLS only, scripts cannot read them, and other sites cannot send them
    assert told == {
        "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True, "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax", "CSRF_COOKIE_SAMESITE": "Lax",
        "SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": YEAR_S,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "X_FRAME_OPTIONS": "DENY", "DEBUG": False, "SECURE_REDIRECT_EXEMPT": ["^healthz$"],
        "STAFF_SECOND_FACTOR": True, "dev_clock": False,
    }  # fmt: skip
    proof_report("T21.production_settings", len(told), len(told), True)


def test_no_template_of_ours_has_code_or_style_in_it(proof_report: ProofReport) -> None:
    listed = subprocess.check_output(["git", "ls-files", "*.html", "*.svg"], cwd=ROOT, text=True)
    faults = {
        path: found
        for path in listed.split()
        if (ROOT / path).exists()
        and not path.startswith(("sandbox/", "tests/"))
        and (found := inline_faults((ROOT / path).read_text(encoding="utf8")))
    }
    proof_report("T21.templates_with_inline_code", len(faults), 0, not faults)
    assert faults == {}


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color:red">x</p>', "<style>p{}</style>", "<script>1</script>",
        '<a onclick="x()">x</a>', '<a href="javascript:x()">x</a>', '<img src="data:image/png,x">',
    ],
)  # fmt: skip
def test_the_search_finds_what_it_searches_for(page: str) -> None:
    assert inline_faults(page)
    clean = '<script src="/static/a.js" defer></script><p class="style">on = 1</p>'
    assert inline_faults(clean) == []
