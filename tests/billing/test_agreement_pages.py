"""The patient's pages of deduction agreements: what they show, refuse and lead to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from core import clock
from patients.models import PatientAccess
from tests import scripted
from tests.billing import portal_house as house
from tests.billing.portal_house import text_of
from tests.billing.services.agreement_house import (
    SILENT,
    Wallet,
    agreed,
    as_was,
    begin,
    narrow_plan,
    standing,
    wallet_of,
)
from tests.factories import patients as people
from tests.factories import payments

pytestmark = pytest.mark.django_db
STATEMENTS_MAX = 12


@pytest.fixture(autouse=True)
def wallet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    with translation.override("zh-hans"):
        yield wallet_of(monkeypatch)


# The list


def test_what_stands_is_shown_with_masked_people_limits_and_today() -> None:
    user, own, mother = house.family()
    agreed(user)
    row = standing(user, [own, mother], own_daily_fen=100_000)
    house.paid(house.bill(mother, 8_640), mode="agreement", agreement=row, payer_id=user.pk)
    text = text_of(house.signed_in(user).get("/agreements"))
    for words in (
        "免密支付",
        "微信免密",
        "替本人、李*英（父母）付",
        "每天最多¥1,000.00",
        "今天已扣¥86.40",
    ):
        assert words in text, (words, text)
    assert "李桂英" not in text and row.contract_id not in text


def test_an_agreement_of_one_campus_says_so() -> None:
    user, own, _mother = house.family()
    east = people.campus("east", name="云溪市第一医院东院")
    row = standing(user, [own], plan=payments.plan(payments.merchant("1900000009", campus=east)))
    phone = house.signed_in(user)
    for page in ("/agreements", f"/agreements/{row.pk}"):
        assert "云溪市第一医院东院" in text_of(phone.get(page))


def test_nothing_signed_says_what_happens_next() -> None:
    user, _own, _mother = house.family()
    text = text_of(house.signed_in(user).get("/agreements"))
    assert "还没有签约" in text and "去签约" in text


def test_the_order_is_the_order_of_deduction() -> None:
    user, own, _mother = house.family()
    agreed(user)
    second = standing(user, [own], preference=2)
    first = standing(user, [own], plan=payments.plan(plan_id="7"), preference=1)
    body = house.signed_in(user).get("/agreements").content.decode()
    assert body.index(f"/agreements/{first.pk}/switch") < body.index(f"/agreements/{second.pk}/")
    assert "第 1 个扣" in body and "第 2 个扣" in body


def test_an_end_in_the_wallet_is_shown() -> None:
    user, own, _mother = house.family()
    standing(user, [own], status="ENDED", ended_how="wallet", ended_at=clock.now())
    assert "2026年11月20日在支付账户里解约" in text_of(house.signed_in(user).get("/agreements"))


def test_whoever_left_the_family_is_not_named() -> None:
    user, _own, mother = house.family()
    standing(user, [mother])
    PatientAccess.objects.filter(patient=mother).update(may_pay=False)
    text = text_of(house.signed_in(user).get("/agreements"))
    assert "没有替任何人付" in text and "李" not in text


# The switch


def test_the_switch_works_at_once_and_back() -> None:
    user, own, _mother = house.family()
    agreed(user)
    row, phone = standing(user, [own]), house.signed_in(user)
    answer = phone.post(f"/agreements/{row.pk}/switch", {"on": "no"})
    assert (answer.status_code, answer.url) == (303, "/agreements?done=paused")
    page = phone.get(answer.url)
    assert as_was(row).status == "PAUSED"
    assert "已暂停，不会扣款" in text_of(page)
    assert 'aria-checked="false"' in page.content.decode()
    phone.post(f"/agreements/{row.pk}/switch", {"on": "yes"})
    assert as_was(row).status == "ACTIVE"


def test_going_on_without_consent_leads_to_the_consent() -> None:
    user, own, _mother = house.family()
    row = standing(user, [own], status="PAUSED", agreed=False)
    answer = house.signed_in(user).post(f"/agreements/{row.pk}/switch", {"on": "yes"})
    assert answer.url == "/consents/deduction?next=/agreements"
    assert as_was(row).status == "PAUSED"


# Changes


def test_limits_people_and_order_are_changed_on_pages_of_their_own() -> None:
    user, own, mother = house.family()
    row, phone = standing(user, [own]), house.signed_in(user)
    other = standing(user, [own], plan=payments.plan(plan_id="7"))
    answer = phone.post(f"/agreements/{row.pk}/limits", {"single": "100", "daily": "200"})
    assert answer.url == f"/agreements/{row.pk}?done=changed"
    phone.post(f"/agreements/{row.pk}/people", {"people": [mother.pk]})
    phone.post(f"/agreements/{other.pk}/first")
    text = text_of(phone.get(f"/agreements/{row.pk}"))
    assert "每笔最多¥100.00" in text and "每天最多¥200.00" in text and "替李*英（父母）" in text
    assert (as_was(row).preference, as_was(other).preference) == (2, 1)
    assert "账单先从这里扣" in text_of(phone.get(f"/agreements/{other.pk}"))


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("limits", {"single": "500.01"}),
        ("limits", {"single": "-5"}),
        ("limits", {"single": "3", "daily": "2"}),
        ("people", {}),
        ("people", {"people": ["987654"]}),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_changes_nothing(page: str, sent: dict[str, Any]) -> None:
    user, own, _mother = house.family()
    row = standing(user, [own], own_single_fen=100)
    answer = house.signed_in(user).post(f"/agreements/{row.pk}/{page}", sent)
    assert answer.status_code == 400 and 'class="error-summary"' in answer.content.decode()
    assert as_was(row).own_single_fen == 100
    assert row.pays_for.get().patient_id == own.pk


def test_the_end_is_asked_with_its_consequence_and_is_at_once(wallet: Wallet) -> None:
    user, own, _mother = house.family()
    row, phone = standing(user, [own]), house.signed_in(user)
    text = text_of(phone.get(f"/agreements/{row.pk}/end"))
    assert "要解约微信免密吗？" in text and "再用要重新签约" in text
    assert as_was(row).status == "ACTIVE"
    wallet.unsigns.append(SILENT)
    assert phone.post(f"/agreements/{row.pk}/end").url == "/agreements?done=ended"
    assert as_was(row).status == "ENDED"
    assert phone.post(f"/agreements/{row.pk}/end").status_code == 303


def test_deductions_show_masked_name_sum_and_number_only() -> None:
    user, _own, mother = house.family()
    row = standing(user, [mother])
    invoice = house.bill(mother, 8_640)
    house.paid(invoice, mode="agreement", agreement=row, payer_id=user.pk)
    text = text_of(house.signed_in(user).get(f"/agreements/{row.pk}/deductions"))
    for words in (
        "李*英",
        "¥86.40",
        f"账单尾号{invoice.invoice_no[-6:]}",
        "已支付",
        "11月20日10:00",
    ):
        assert words in text
    assert "内科" not in text and "李桂英" not in text


# Whose it is


PAGES = ("", "/sign", "/result", "/people", "/limits", "/end", "/deductions")
ACTS = ("/result", "/switch", "/first", "/people", "/limits", "/end")


def test_somebody_elses_agreement_is_no_page_at_all(wallet: Wallet) -> None:
    user, own, _mother = house.family()
    row = standing(user, [own])
    stranger = house.signed_in(payments.user())
    for pk in (row.pk, 987_654, 10**30):
        for page in PAGES:
            assert stranger.get(f"/agreements/{pk}{page}").status_code == 404, page
        for page in ACTS:
            sent = {"on": "no", "people": own.pk}
            assert stranger.post(f"/agreements/{pk}{page}", sent).status_code == 404, page
    assert stranger.get(f"/agreements/new/{10**30}").status_code == 404
    assert (as_was(row).status, wallet.asked) == ("ACTIVE", [])


def test_strangers_and_staff_are_led_to_the_sign_in() -> None:
    user, own, _mother = house.family()
    row = standing(user, [own])
    staff = Client()
    clerk = payments.user()
    clerk.is_staff = True
    clerk.save()
    staff.force_login(clerk)
    for client in (Client(), staff):
        for page in ("/agreements", "/agreements/new", f"/agreements/{row.pk}"):
            answer = client.get(page)
            assert answer.status_code == 302 and "/accounts/login" in answer.url


def test_a_form_without_its_token_does_nothing() -> None:
    user, own, _mother = house.family()
    row = standing(user, [own])
    client = Client(enforce_csrf_checks=True)
    house.signed_in(user)
    client.force_login(user)
    for page in ACTS:
        assert client.post(f"/agreements/{row.pk}{page}", {"on": "no"}).status_code == 403
    assert as_was(row).status == "ACTIVE"


# Size


@pytest.mark.parametrize("mode", ["standard", "elder-3"])
def test_every_page_is_few_statements_and_strict_html(
    mode: str, still_clock: clock.FrozenClock
) -> None:
    user, own, mother = house.family()
    agreed(user)
    rows = [
        standing(user, [own, mother], plan=payments.plan(plan_id=str(n)), preference=n)
        for n in range(1, 5)
    ]
    house.paid(house.bill(mother), mode="agreement", agreement=rows[0], payer_id=user.pk)
    signing = begin(user, [own])
    phone = house.signed_in(user)
    phone.cookies["mode"] = mode
    still_clock.advance(timedelta(seconds=1))
    pages = ["/agreements", "/agreements/new", f"/agreements/new/{narrow_plan('9').pk}"]
    pages += [f"/agreements/{rows[0].pk}{page}" for page in PAGES if page not in ("/sign",)]
    pages += [f"/agreements/{signing.pk}/sign", f"/agreements/{signing.pk}/result"]
    for page in pages:
        with CaptureQueriesContext(
            connection,
        ) as spoken:
            answer = phone.get(page)
        body = answer.content.decode()
        assert answer.status_code == 200, page
        assert len(spoken) <= STATEMENTS_MAX, (page, len(spoken))
        assert "style=" not in body and "onclick" not in body and "data:" not in body
        assert "失败" not in body and "不用手机也能办" in body
        assert ('data-mode="elder"' in body) == (mode != "standard")
