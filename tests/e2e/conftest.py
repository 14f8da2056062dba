"""A browser on the pay pages of made-up states, under the policy that production sends."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.preview import preview

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POLICY = "config.csp.ContentSecurityPolicy"


@pytest.fixture(scope="module")
def portal() -> Iterator[str]:
    before = list(settings.MIDDLEWARE)
    if POLICY not in before:
        settings.MIDDLEWARE = [POLICY, *before]
    with preview() as base:
        yield base
    settings.MIDDLEWARE = before


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield running
        running.close()
