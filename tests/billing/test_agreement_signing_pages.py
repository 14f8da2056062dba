"""Signing on the phone: what is offered, asked and refused, and the three results."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django.utils import translation

from billing.models import Agreement, PaymentInstitution
from patients.models import Campus, Consent
from tests import scripted
from tests.billing import portal_house as house
from tests.billing.portal_house import text_of
from tests.billing.services.agreement_house import (
    SILENT,
    STANDS,
    Wallet,
    agreed,
    as_was,
    begin,
    narrow_plan,
    standing,
    text_hash,
    wallet_of,
)
from tests.factories import patients as people
from tests.factories import payments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wallet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    with translation.override("zh-hans"):
        yield wallet_of(monkeypatch)


def answers(**changed: Any) -> dict[str, Any]:
    return {"single": "", "daily": "", "agree": "yes", "text": text_hash()} | changed


def test_every_institution_in_term_is_offered_and_none_is_first_for_everybody() -> None:
    narrow_plan()
    for number in range(4):
        institution = PaymentInstitution.objects.create(
            code=f"inst{number}",
            name=f"机构{number}号",
            agreement_from=date(2026, 1, 1),
            agreement_until=date(2026, 11, 19 + (number > 0)),
        )
        payments.plan(payments.merchant(f"190000010{number}", institution=institution), plan_id="5")
    first = set()
    for _reader in range(8):
        user = payments.user()
        text = text_of(house.signed_in(user).get("/agreements/new"))
        names = [name for name in ("财付通", "机构1号", "机构2号", "机构3号") if name in text]
        assert len(names) == 4 and "机构0号" not in text
        assert "推荐" not in text
        first.add(min(names, key=text.index))
    assert len(first) > 1


def test_one_plan_stands_for_each_campus_the_widest_that_is_offered() -> None:
    # Given two campuses' merchants, each with three plans; the widest is not for patients
    user, _own, _mother = house.family()
    main = Campus.objects.get()
    east = people.campus("east", name="云溪市第一医院东院")
    for number, campus in (("1900000001", main), ("1900000002", east)):
        merchant = payments.merchant(number, campus=campus)
        hours = {"hours_from": time(7), "hours_until": time(22)}
        payments.plan(merchant, "2", single_fen=50_000, daily_fen=250_000)
        payments.plan(merchant, "1", **hours)
        payments.plan(merchant, "3", single_fen=900_000, offered=False)

    # When the user looks what can be signed
    text = text_of(house.signed_in(user).get("/agreements/new"))

    # Then channel and institution stand once, with one card, and the other campus is folded away
    assert text.count("由财付通扣款") == 1
    terms = "每笔最多¥5,000.00每天最多¥50,000.00只在7:00–22:00扣款"
    shown, folded = text.split("其他院区")
    assert f"云溪市第一医院{terms}" in shown and shown.count("每笔最多") == 1
    assert f"云溪市第一医院东院{terms}" in folded and folded.count("每笔最多") == 1


def test_the_form_names_the_hospital_whose_bills_are_paid() -> None:
    user, _own, _mother = house.family()
    east = people.campus("east", name="云溪市第一医院东院")
    plan = payments.plan(payments.merchant("1900000002", campus=east), "2")
    everywhere = payments.plan(payments.merchant("1900000003"), "3")
    phone = house.signed_in(user)
    assert "用于云溪市第一医院东院的账单" in text_of(phone.get(f"/agreements/new/{plan.pk}"))
    assert "用于各院区的账单" in text_of(phone.get(f"/agreements/new/{everywhere.pk}"))
    phone.cookies["mode"] = "elder-1"
    assert "用于云溪市第一医院东院的账单" in text_of(phone.get(f"/agreements/new/{plan.pk}"))


def test_signed_already_is_greyed() -> None:
    user, own, _mother = house.family()
    row = standing(user, [own])
    body = house.signed_in(user).get("/agreements/new").content.decode()
    assert "choice-off" in body and f"/agreements/new/{row.plan_id}" not in body


def test_nothing_is_chosen_beforehand_and_self_comes_first() -> None:
    user, own, mother = house.family()
    plan = narrow_plan()
    body = house.signed_in(user).get(f"/agreements/new/{plan.pk}").content.decode()
    assert "checked" not in body
    assert body.index(f'value="{own.pk}"') < body.index(f'value="{mother.pk}"')
    assert "自动扣款" in body and text_hash() in body


def test_the_form_leads_to_the_channel_and_leaves_the_mandate(wallet: Wallet) -> None:
    user, own, mother = house.family()
    phone, plan = house.signed_in(user), narrow_plan()
    sent = answers(people=[own.pk, mother.pk], single="２００", daily="1,000.00元")
    answer = phone.post(f"/agreements/new/{plan.pk}", sent)
    row = Agreement.objects.get()
    assert answer.url == f"/agreements/{row.pk}/sign"
    assert (row.own_single_fen, row.own_daily_fen) == (20_000, 100_000)
    body = phone.get(answer.url).content.decode()
    assert f"https://wallet.example/sign?code={row.contract_code}" in body
    assert wallet.asked[0][2].endswith(f"/agreements/{row.pk}/result")
    assert wallet.asked[0][2].startswith("http")


def test_a_fault_in_a_limit_keeps_the_consent_ticked_for_the_text_that_was_read() -> None:
    user, own, _mother = house.family()
    phone, plan = house.signed_in(user), narrow_plan()
    ticked = 'name="agree" value="yes" checked'

    def page(**changed: Any) -> str:
        sent = answers(people=[own.pk], single="abc") | changed
        return phone.post(f"/agreements/new/{plan.pk}", sent).content.decode()

    assert ticked in page()
    # But not where it was not ticked, nor where another text was read
    assert ticked not in page(agree="") and ticked not in page(text="0" * 64)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"people": []}, "请至少选一个人"),
        ({"people": ["987654"]}, "其中有人已经不能由您代付"),
        ({"people": ["x"]}, "其中有人已经不能由您代付"),
        ({"single": "0"}, "¥0.01"),
        ({"single": "-1"}, "¥0.01"),
        ({"daily": "-0.01"}, "¥0.01"),
        ({"single": "500.01"}, "¥500.00"),
        ({"daily": "2500.01"}, "¥2,500.00"),
        ({"single": "300", "daily": "200"}, "每笔限额不能高于每天限额"),
        ({"single": "1.001"}, ""),
        ({"single": "abc"}, ""),
        ({"agree": ""}, "不同意就不能自动扣款"),
        ({"text": "0" * 64}, ""),
    ],
    ids=str,
)
def test_what_cannot_be_is_a_sentence_and_leaves_nothing(
    changed: dict[str, Any], sentence: str
) -> None:
    user, own, _mother = house.family()
    plan = narrow_plan()
    sent = answers(people=[own.pk]) | changed
    answer = house.signed_in(user).post(f"/agreements/new/{plan.pk}", sent)
    assert answer.status_code == 400
    body = answer.content.decode()
    assert 'class="error-summary"' in body and sentence in body and "没有扣款" in body
    assert not Agreement.objects.exists()
    assert not Consent.objects.filter(purpose="deduction").exists()


def test_elder_mode_asks_one_question_a_page() -> None:
    user, own, _mother = house.family()
    phone, plan = house.signed_in(user), narrow_plan()
    phone.cookies["mode"] = "elder-1"
    where = f"/agreements/new/{plan.pk}"
    first = phone.get(where).content.decode()
    assert 'name="people"' in first and 'name="single"' not in first and 'name="agree"' not in first
    missed = phone.post(where, {"step": "people"})
    assert missed.status_code == 400 and "请至少选一个人" in missed.content.decode()
    second = phone.post(where, {"step": "people", "people": own.pk})
    body = second.content.decode()
    assert second.status_code == 200 and 'id="single"' in body and 'id="people"' not in body
    wrong = phone.post(where, {"step": "limits", "people": own.pk, "single": "600"})
    assert wrong.status_code == 400 and "¥500.00" in wrong.content.decode()
    third = phone.post(where, {"step": "limits", "people": own.pk, "single": "100", "daily": ""})
    body = third.content.decode()
    assert 'name="agree"' in body and '<input type="hidden" name="single" value="100">' in body
    unread = phone.post(where, {"step": "agree", "people": own.pk, "text": text_hash()})
    assert unread.status_code == 400 and not Agreement.objects.exists()
    sent = answers(step="agree", people=own.pk, single="100")
    assert phone.post(where, sent).status_code == 303
    assert Agreement.objects.get().own_single_fen == 10_000


def test_a_consent_that_stands_is_not_asked_again() -> None:
    user, own, _mother = house.family()
    agreed(user)
    phone, plan = house.signed_in(user), narrow_plan()
    assert 'name="agree"' not in phone.get(f"/agreements/new/{plan.pk}").content.decode()
    sent = answers(people=[own.pk])
    del sent["agree"], sent["text"]
    assert phone.post(f"/agreements/new/{plan.pk}", sent).status_code == 303


def test_nobody_to_pay_for_leads_to_the_family() -> None:
    user, plan = payments.user(), narrow_plan()
    text = text_of(house.signed_in(user).get(f"/agreements/new/{plan.pk}"))
    assert "还没有可以付的人" in text


# The result


def test_the_result_is_one_of_three(wallet: Wallet) -> None:
    user, own, _mother = house.family()
    phone, row = house.signed_in(user), begin(user, [own])
    where = f"/agreements/{row.pk}/result"
    text = text_of(phone.get(where))
    assert "处理中" in text and "回去签约" in text and "失败" not in text
    assert phone.get(where, headers={"HX-Request": "true"}).status_code == 204
    wallet.queries.extend([SILENT, STANDS])
    assert "还没有签约" in text_of(phone.post(where, follow=True))
    text = text_of(phone.post(where, follow=True))
    assert "已签约" in text and "处理中" not in text
    assert phone.get(where, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert phone.get(f"/agreements/{row.pk}/sign").url == where


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("refused", "签约的不是您本人的账户"),
        ("not_signed", "超过时间没有签"),
        ("holder", "您取消了这次签约"),
    ],
)
def test_not_signed_says_why_and_that_nothing_was_taken(how: str, sentence: str) -> None:
    user, own, _mother = house.family()
    row = begin(user, [own])
    Agreement.objects.filter(pk=row.pk).update(status="ENDED", ended_how=how)
    text = text_of(house.signed_in(user).get(f"/agreements/{row.pk}/result"))
    assert "没有签约" in text and "没有扣款" in text and sentence in text


def test_coming_back_from_the_channel_proves_nothing() -> None:
    user, own, _mother = house.family()
    row = begin(user, [own])
    forged = f"/agreements/{row.pk}/result?status=NORMAL&agreement_no=1&asked=yes"
    assert "处理中" in text_of(house.signed_in(user).get(forged))
    assert as_was(row).status == "SIGNING"
