"""Tags: what a chip holds, where a touch leads, and what the page of the code shows."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from core import clock
from patients.models import Location, TagTouch
from patients.ndef import tag_memory, uri_record
from patients.selectors import card_code_resolve
from tests.factories.accounts import patient_client, patient_user
from tests.factories.patients import campus
from tests.patients.binding_house import Phone, adult, bound, person, phone

__all__ = ["phone"]


def location(code: str = "R208", **values: Any) -> Location:
    filled: dict[str, Any] = {"kind": "consulting_room", "name": "门诊楼 2 层，8 号诊室"}
    return Location.objects.create(
        code=code, campus=campus(), created_at=clock.now(), **filled | values
    )


def test_a_record_is_the_uri_record_of_the_nfc_forum() -> None:
    # The same bytes as ndeflib 0.3.3 makes of UriRecord(address), message begin and end set.
    address = "https://pay.example.cn/t/W01"
    assert uri_record(address).hex() == "d1011555047061792e6578616d706c652e636e2f742f573031"


def test_a_record_of_a_plain_address_has_its_own_prefix() -> None:
    record = uri_record("http://127.0.0.1:8000/t/W01")
    assert record[:5] == bytes([0xD1, 1, len(record) - 4, 0x55, 3])
    assert record[5:] == b"127.0.0.1:8000/t/W01"


@pytest.mark.parametrize(
    "address", ["", "ftp://a", "https://医院.cn/t/1", "https://a/" + "x" * 255]
)
def test_what_no_tag_can_hold_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        uri_record(address)


def test_a_blank_tag_gets_whole_pages_with_the_end_mark() -> None:
    record = uri_record("https://a.cn/t/W01")
    area = tag_memory(record)
    assert len(area) % 4 == 0
    assert area[:2] == bytes([3, len(record)]) and area[2 : 2 + len(record)] == record
    assert area[2 + len(record)] == 0xFE


@pytest.mark.django_db
def test_a_touch_opens_the_code_and_is_written_down(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    user, own = adult(phone, "陈秀兰")
    place, client = location(), patient_client(user)
    page = client.get("/t/R208").content.decode()
    assert "门诊楼 2 层，8 号诊室" in page and "陈秀兰" in page
    assert (
        own.id_number not in page and f"{own.id_number[:4]} **** **** {own.id_number[-4:]}" in page
    )
    client.get("/t/r208")  # the renewal of the code, and a tag typed by hand
    touch = TagTouch.objects.get()
    assert (touch.user, touch.location, touch.created_at) == (user, place, clock.now())
    still_clock.advance(timedelta(minutes=10))
    client.get("/t/R208")
    assert TagTouch.objects.count() == 2


@pytest.mark.django_db
def test_a_stranger_comes_back_to_the_tag_after_the_sign_in(client: Client) -> None:
    location()
    assert client.get("/t/R208")["Location"] == "/accounts/login?next=%2Ft%2FR208"
    assert not TagTouch.objects.exists()
    new = patient_client(patient_user(consents=()))
    assert new.get("/t/R208")["Location"] == "/consents/first?next=%2Ft%2FR208"


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["NOBODY", "OLD", "%00", "R208' OR 1=1"])
def test_an_unknown_or_old_tag_is_a_sentence(code: str, client: Client) -> None:
    location("OLD", active=False)
    answer = client.get(f"/t/{code}")
    assert answer.status_code == 404
    assert 'href="/code"' in answer.content.decode()


@pytest.mark.django_db
def test_whoever_has_no_card_is_led_to_bind_one() -> None:
    location()
    page = patient_client().get("/t/R208").content.decode()
    assert "/family/add" in page and 'class="qr"' not in page


@pytest.mark.django_db
def test_the_page_shows_a_code_that_the_desk_resolves(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, own = adult(phone)
    shown: list[str] = []
    monkeypatch.setattr(
        "core.templatetags.elements.qr_path",
        lambda text: shown.append(text) or type("Path", (), {"side": 1, "d": ""}),
    )
    page = patient_client(user).get("/code").content.decode()
    assert card_code_resolve(shown[0]) == own
    assert re.search(r'<noscript><meta http-equiv="refresh" content="60;url=/code\?person=', page)


@pytest.mark.django_db
def test_a_code_is_shown_of_those_one_may_identify(phone: Phone) -> None:
    user, own = adult(phone)
    child = person("陈安", date(2018, 5, 6), guardian=own)
    bound(phone, user, child, "child")
    father = person("陈国")
    bound(phone, user, father, "parent")
    client = patient_client(user)
    shown = client.get(f"/code?person={child.pk}").content.decode()
    assert "陈*" in shown
    assert "陈安" not in shown  # a relative is masked, oneself is not
    for other in (father.pk, person().pk, 99_999, "x", "1 OR 1=1"):
        assert client.get("/code", {"person": other}).status_code == 404
