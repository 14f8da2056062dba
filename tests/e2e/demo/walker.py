"""Somebody with a phone in their hand: a browser of their own, the taps they made, what arrived."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.e2e.demo.measured import ELDER, STANDARD, faults_of
from tests.e2e.demo.relatives import Relative
from tests.e2e.measures import policy_fault
from tests.fixtures.demo_process import Demo
from tests.journeys.payer import PHONE

# What the gateway's templates call the code of a sign-in and of a card.
CODES = ("sms_code", "verify_code")
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"
PHONE_SIZE: Any = {"width": 390, "height": 844}
# Where the README's pictures go; asked for by name, so that a run of tests changes no file.
PICTURES = os.environ.get("PICTURES_TO", "")


class Walker:
    """`taps` counts every press since `begin`; typing is none."""

    def __init__(self, browser: Browser, demo: Demo, one: Relative, *, width: int = 390) -> None:
        self.demo, self.one = demo, one
        self.context = browser.new_context(
            viewport={**PHONE_SIZE, "width": width},
            user_agent=PHONE if width < 768 else DESKTOP,
            locale="zh-CN",
            device_scale_factor=2 if PICTURES else 1,
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.taps = 0
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.extend(policy_fault(line)))

    # What they do

    def begin(self, address: str) -> None:
        """Come to an address by touching a tag or by opening a message; count from here."""
        self.taps = 0
        self.open(address)

    def open(self, address: str) -> int:
        """Type an address, or a path of the portal."""
        whole = address if address.startswith("http") else f"{self.demo.portal}{address}"
        answer = self.page.goto(whole)
        assert answer is not None
        return answer.status

    def tap(self, target: str | Locator) -> None:
        """Press a link by its words, or a place on the page."""
        if isinstance(target, str):
            target = self.ours.get_by_role("link", name=re.compile(target)).first
        target.click()
        self.taps += 1

    def press(self, words: str) -> None:
        """Press a button by its words."""
        self.tap(self.ours.get_by_role("button", name=re.compile(words)).first)

    def fill(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).fill(value)

    def scanned(self, number: str) -> None:
        """Hold the wallet's code before the scanner of the window."""
        code = self.demo.act("payer", "show_code", self.one.openid)["auth_code"]
        assert self.demo.collect(number, "scan", auth_code=code)["result"] == "paid"

    # What they see

    @property
    def ours(self) -> Locator:
        return self.page.locator("main, .bar, .top, .foot")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.demo.portal).partition("?")[0]

    @property
    def head(self) -> str:
        return "".join(self.page.locator("h1").first.inner_text().split())

    @property
    def words(self) -> str:
        """The page's text without white space."""
        return "".join(self.page.locator("main").inner_text().split())

    @property
    def mode(self) -> str | None:
        return self.page.locator("html").get_attribute("data-mode")

    def measure(self) -> None:
        """Keep what is wrong with the page on the list of faults."""
        view = ELDER if self.mode else STANDARD
        view = replace(view, width=self.page.viewport_size["width"])  # type: ignore[index]
        self.faults += faults_of(self.page, view)

    def picture(self, name: str) -> None:
        if PICTURES and self.page.viewport_size == PHONE_SIZE:
            self.page.mouse.move(0, 0)
            self.page.screenshot(path=Path(PICTURES) / f"journey-{name}.png")

    def file(self, name: str, body: bytes) -> None:
        """A file they were given, beside the pictures."""
        if PICTURES and self.page.viewport_size == PHONE_SIZE:
            (Path(PICTURES) / f"journey-{name}").write_bytes(body)

    # What arrives on their phone

    def code(self, phone: str = "", *, after: int = 0) -> str:
        """The newest code on a phone, once more have come than `after`."""
        wanted = phone or self.one.phone
        arrived = self.demo.until(lambda: self.codes(wanted)[after:])
        assert arrived, f"no code came to {wanted}"
        return str(arrived[-1])

    def codes(self, phone: str = "") -> list[str]:
        """Every code that arrived on a phone, oldest first."""
        return [
            row["params"][name]
            for row in self._texts(phone or self.one.phone)
            for name in CODES
            if name in row["params"]
        ]

    def notices(self, tail: str) -> list[dict[str, str]]:
        """What came by WeChat or by text message about the bill whose number ends so."""
        by_wechat = [
            row for row in self.demo.rows("wechat_message") if row["receiver"] == self.one.openid
        ]
        return [
            {"link": row["url"], **row["params"]}
            for row in (*by_wechat, *self._texts(self.one.phone))
            if row["params"].get("number") == tail
        ]

    def _texts(self, phone: str) -> list[dict[str, Any]]:
        return [row for row in self.demo.rows("sms") if row["receiver"] == phone]
