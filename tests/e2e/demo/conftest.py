"""One family in the session's demo that is taken all the way.

The fixtures are the family's progress: who asks for `signed` gets somebody who has signed in, bound
and signed, in a browser and through every page that leads there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.conftest import ARGS
from tests.e2e.demo.relatives import Relatives, relatives_register
from tests.e2e.demo.steps import bind, consent, sign, sign_in
from tests.e2e.demo.walker import Walker
from tests.fixtures.demo_process import Demo
from tests.fixtures.visitors import staff_in

WIDTHS = (390, 1280)
Taps = Callable[[str, int, int], None]


@dataclass
class Signed:
    """The daughter with her agreements: WeChat's pays for her and her mother, Alipay's for the
    child."""

    who: Walker
    wechat: str
    alipay: str


@pytest.fixture(scope="package")
def chrome(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield running
        running.close()


@pytest.fixture(scope="package", params=WIDTHS, ids="{}px".format)
def width(request: pytest.FixtureRequest) -> int:
    """Everything is walked on a phone and at a desk."""
    return int(request.param)


@pytest.fixture(scope="package")
def relatives(house: Demo, width: int) -> Relatives:
    return relatives_register(house, WIDTHS.index(width) + 1)


@pytest.fixture(scope="package")
def signed_in(chrome: Browser, house: Demo, relatives: Relatives, width: int) -> Iterator[Walker]:
    """The daughter, whom this house sees for the first time."""
    who = Walker(chrome, house, relatives.daughter, width=width)
    who.open("/")
    assert who.path == "/accounts/login"
    who.picture("sign-in")
    sign_in(who)
    consent(who)
    assert who.path == "/", who.words
    yield who
    who.context.close()


@pytest.fixture(scope="package")
def bound(signed_in: Walker, relatives: Relatives) -> Walker:
    """She binds herself, her child by being the guardian on record, her mother by her code."""
    bind(signed_in, "self", relatives.daughter)
    bind(signed_in, "child", relatives.child)
    bind(signed_in, "parent", relatives.mother)
    signed_in.picture("family")
    return signed_in


@pytest.fixture(scope="package")
def signed(bound: Walker) -> Signed:
    wechat = sign(bound, "微信", "wechat", "本人", "父母")
    bound.picture("signed")
    return Signed(bound, wechat, sign(bound, "支付宝", "alipay", "子女"))


@pytest.fixture(scope="package")
def tag(house: Demo) -> str:
    """The address on the tag of a window, as the IT staff has entered the place."""
    clerk, page = staff_in(house.facts, "admin"), "/admin/patients/location/add/"
    shown = clerk.get(page).text
    [campus] = set(re.findall(r'<option value="(\d+)"[^>]*>云溪市第一医院</option>', shown))
    place = {"code": "W3", "name": "门诊 3 号窗口", "kind": "window", "campus": campus}
    secret = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)[0]
    done = clerk.client.post(
        page,
        data={**place, "active": "on", "csrfmiddlewaretoken": secret},
        headers={"Referer": house.portal},
    )
    assert done.is_redirect, done.text
    told = house.manage("nfc_payload", "--location", "W3", "--json")
    return str(told.data["tags"][0]["address"])


@pytest.fixture(scope="package")
def mother(chrome: Browser, house: Demo, relatives: Relatives, width: int) -> Iterator[Walker]:
    """The mother on her own phone: large letters first, then the same door."""
    who = Walker(chrome, house, relatives.mother, width=width)
    who.open("/")
    who.press("长辈版")
    sign_in(who)
    consent(who)
    bind(who, "self", relatives.mother, elder=True)
    yield who
    who.context.close()


@pytest.fixture
def taps(request: pytest.FixtureRequest, width: int) -> Taps:
    """`taps(what, made, most)`: print the count, whatever is captured, and hold it to its most."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def told(what: str, made: int, most: int) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\ntaps at {width} px {what}: {made} (at most {most})", flush=True)
        assert made <= most, what

    return told
