"""The doors of the running demo: a code that really arrives, a wallet that really vouches."""

from __future__ import annotations

import httpx

from tests.fixtures.demo_process import Demo
from tests.fixtures.visitors import Visitor, codes_sent, patient_in, staff_in

NEW_PHONE = "13712340987"


def patient(demo: Demo, mrn: str) -> dict[str, object]:
    return next(one for one in demo.facts["patients"] if one["mrn"] == mrn)


def test_a_patient_signs_in_with_the_code_on_their_phone(demo: Demo) -> None:
    visitor = patient_in(demo.facts, str(patient(demo, "P0012")["phone"]))
    shown = visitor.get("/consents")
    assert (shown.status_code, shown.url.path) == (httpx.codes.OK, "/consents")
    [(stored,)] = demo.query(
        "SELECT count(*) FROM core_outboundcall WHERE request_body LIKE %s",
        f"%{codes_sent(demo.facts['sandbox_url'], str(patient(demo, 'P0012')['phone']))[-1]}%",
    )
    assert stored == 0


def test_a_stranger_opens_an_account_and_is_asked_first(demo: Demo) -> None:
    visitor = Visitor(demo.facts["portal_url"])
    visitor.post("/accounts/login?next=/messages", "/accounts/login", phone=NEW_PHONE)
    code = codes_sent(demo.facts["sandbox_url"], NEW_PHONE)[-1]
    led = visitor.post("/accounts/code", "/accounts/code", code=code)
    assert led.headers["location"] == "/messages"
    assert visitor.get("/messages").url.path == "/consents/first"
    visitor.post("/consents/first?next=/messages", "/consents/first", answer="yes")
    assert visitor.get("/messages").url.path == "/messages"


def test_a_wallet_opens_the_account_it_belongs_to(demo: Demo) -> None:
    visitor = Visitor(demo.facts["portal_url"])
    led = visitor.post("/accounts/login", "/accounts/with/wechat")
    assert led.headers["location"].startswith(f"{demo.facts['sandbox_url']}/wechat/connect/")
    page = led.headers["location"].partition("#")[0]
    back = httpx.get(f"{page}&as=oDemoP0005", trust_env=False).headers["location"]
    assert visitor.client.get(back).headers["location"] == "/"
    assert visitor.get("/consents").url.path == "/consents"
    # The same answer of the wallet opens nothing a second time, here or elsewhere.
    assert visitor.client.get(back).status_code == httpx.codes.BAD_REQUEST
    assert Visitor(demo.facts["portal_url"]).get(back).status_code == httpx.codes.BAD_REQUEST


def test_staff_come_in_with_the_code_of_their_app(demo: Demo) -> None:
    cashier = staff_in(demo.facts, "cashier")
    assert cashier.get("/admin/").url.path == "/admin/"
    assert all(one["totp_secret"] for one in demo.facts["staff"])
