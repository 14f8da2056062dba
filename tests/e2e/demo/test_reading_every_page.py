"""Every page of the running demo, in both modes: axe-core finds nothing grave, text and targets
have the sizes that are asked for, and nothing runs off the side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.demo.conftest import Signed
from tests.e2e.demo.measured import DESK, ELDER, ELDER_NARROW, STANDARD, View, faults_of
from tests.e2e.demo.pages import NOT_FOUND, PAGES, STRANGER, Places
from tests.e2e.demo.relatives import Relatives
from tests.e2e.demo.steps import file_care
from tests.e2e.demo.walker import Walker
from tests.fixtures.demo_process import Demo

pytestmark = pytest.mark.browser
# Whose account it is, is asked only of a phone that rested for long; others begin at the front.
AT_SIGN_IN = {"sign_in", "sign_in_whose"}
VIEWS = {390: (STANDARD, ELDER, ELDER_NARROW), 1280: (DESK,)}


@pytest.fixture(scope="package")
def places(signed: Signed, house: Demo, relatives: Relatives, tag: str) -> Iterator[Places]:
    """Somebody with something on every page: bills to pay, on the way and paid, a wish, an end."""
    who = signed.who
    house.morning()
    own = relatives.daughter.mrn
    paid = house.bill(own, 42_00)
    who.scanned(paid.number)
    waiting = house.bill(own, 1_234_56)
    to_pay = house.bill(own, 42_60, 36_80, 7_00)
    link = house.collect(to_pay.number, "pay_link")["action"]["value"]
    ids = dict(house.query("SELECT invoice_no, id FROM billing_invoice"))
    who.open(f"/bills/{ids[waiting.number]}/pay")
    who.page.locator("label.choice").filter(has_text="扫").or_(
        who.page.locator("label.choice").filter(has_text="微信支付")
    ).first.click()
    who.page.locator(".bar button").click()
    who.page.wait_for_load_state()
    who.open("/accounts/phone")
    seen = len(who.codes())
    who.tap(who.page.locator("main button[type=submit]").first)
    who.fill("短信验证码", who.code(after=seen))
    who.tap(who.page.locator("main button[type=submit]").first)
    assert who.path == "/accounts/phone", who.words
    who.fill("手机号", f"1371112{who.one.phone[-4:]}")
    who.tap(who.page.locator("main button[type=submit]").first)
    assert who.path == "/accounts/phone/code", who.words
    yield Places(
        to_pay=ids[to_pay.number],
        waiting=ids[waiting.number],
        paid=ids[paid.number],
        link=link.removeprefix(house.portal),
        plan=_only(house, "SELECT max(id) FROM billing_agreementplan"),
        standing=int(signed.alipay),
        ended=_ended(who, house, signed),
        access=_only(house, "SELECT max(id) FROM patients_patientaccess WHERE relation = 'parent'"),
        wish=_wish(who, house),
        filing=file_care(who),
    )
    house.morning()  # the order that nobody goes on with is over, so that the books are closed


def _only(house: Demo, sql: str) -> int:
    return int(house.query(sql)[0][0])


def _ended(who: Walker, house: Demo, signed: Signed) -> int:
    """An agreement that is over: ended here, if the wallet has not done so before."""
    who.open(f"/agreements/{signed.wechat}/end")
    if who.path.endswith("/end") and who.page.locator("main form button").count():
        who.page.locator("main form button").first.click()
    return int(signed.wechat)


def _wish(who: Walker, house: Demo) -> int:
    """A binding that waits for its code."""
    other = next(one for one in house.facts["patients"] if one["mrn"] == "P0006")
    who.open("/family/add")
    who.page.locator("label:has(input[name=relation][value=other])").click()
    who.fill("患者姓名", other["name"])
    who.fill("证件号码", other["id_no"])
    who.press("发送验证码")
    assert who.head == "请输入验证码", who.words
    return int(who.path.split("/")[3])


@pytest.mark.timeout(600)
def test_everybody_can_read_and_press_every_page(
    signed: Signed, places: Places, width: int
) -> None:
    found: list[str] = []
    for place, view in enumerate(VIEWS[width]):
        own = _reader(signed, view, stranger=False)
        stranger = _reader(signed, view, stranger=True)
        _code_asked(stranger, f"1371111{width % 100:02d}{place:02d}", signed.who.demo)
        for name, at in PAGES.items():
            page = stranger if name in STRANGER else own
            for address in at(places):
                answer = page.goto(f"{signed.who.demo.portal}{address}")
                assert answer is not None
                assert answer.status == (404 if address in NOT_FOUND else 200), address
                asked = page.url.startswith(f"{signed.who.demo.portal}/accounts/login")
                assert asked == (name in AT_SIGN_IN), (address, page.url)
                found += [f"{address}: {fault}" for fault in faults_of(page, view)]
        own.context.close()
        stranger.context.close()
    assert found == [], "\n" + "\n".join(found)


def _reader(signed: Signed, view: View, *, stranger: bool) -> Page:
    """The daughter's session, or nobody's, in the size and mode of the view."""
    browser = signed.who.context.browser
    assert browser is not None
    size = {"width": view.width, "height": 844}
    context = browser.new_context(viewport=size, locale="zh-CN")  # type: ignore[arg-type]
    portal = signed.who.demo.portal
    kept = [] if stranger else signed.who.context.cookies(portal)
    cookies = [
        {"name": one["name"], "value": one["value"], "url": portal}
        for one in kept
        if one["name"] != "mode"
    ]
    context.add_cookies([*cookies, {"name": "mode", "value": view.mode, "url": portal}])
    return context.new_page()


def _code_asked(page: Page, phone: str, house: Demo) -> None:
    """Only the browser that asked for a code sees the page that takes it."""
    page.goto(f"{house.portal}/accounts/login")
    page.get_by_label("手机号", exact=True).fill(phone)
    page.get_by_role("button", name="获取验证码").click()
    page.wait_for_url("**/accounts/code")
