"""A patient's bad input: each a sentence in their language that says what to do, nothing half done.

What another wallet signs is in tests/contracts/test_agreement_journeys.py, where wallets are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from core import clock
from core.models import User
from patients import doors
from patients.actors import patient_actor
from patients.models import Patient, PatientAccess, WalletIdentity
from patients.selectors import id_number_index
from patients.services.consents import consent_give
from patients.signin import registry
from patients.signin.base import Identity
from tests.access.roles import Books
from tests.billing import portal_house
from tests.billing.portal_house import text_of
from tests.factories import patients as people
from tests.factories import payments
from tests.fixtures.phone import Gateway, answer, ask, gateway

__all__ = ["gateway"]
pytestmark = pytest.mark.django_db
START, BACK = "/accounts/with/wechat", "/accounts/with/wechat/back"


class Door:
    """The wallet vouches for whoever comes."""

    answer_name = "code"

    def leave_for(self, *, back: str, state: str) -> str:
        return f"https://open.weixin.qq.com/authorize?back={back}&state={state}"

    def identity(self, *, code: str, reference: str) -> Identity:
        return Identity("wechat_pay", "wx-app", f"o-{code}")


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for place in (registry, doors):
        monkeypatch.setattr(place, "door_get", lambda _code: Door())
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def family() -> tuple[User, Patient, Client]:
    user, own, _mother = portal_house.family()
    own.id_number = people.id_number(7)
    own.id_number_index = id_number_index(own.id_number)
    own.save()
    return user, own, portal_house.signed_in(user)


def said(page: HttpResponse, status: int, *sentences: str) -> None:
    text = text_of(page)
    assert page.status_code == status, text
    assert [one for one in sentences if one not in text] == [], text


def leave(client: Client) -> str:
    led = client.post(START)
    return parse_qs(urlsplit(led["Location"]).query)["state"][0]


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# Codes


def test_a_wrong_code_says_how_to_go_on(client: Client, gateway: Gateway) -> None:
    ask(client, "13812345678")
    books = Books()
    wrong = f"{(int(gateway.code()) + 1) % 1000000:06d}"
    said(answer(client, wrong), 400, "验证码不对，请看短信里最新的6位数字")
    assert books.changed() == ["patients_phonecode"]
    assert not signed_in(client) and User.objects.count() == 0


def test_an_expired_code_says_how_to_get_another(
    client: Client, gateway: Gateway, still_clock: clock.FrozenClock
) -> None:
    ask(client, "13812345678")
    still_clock.advance(timedelta(minutes=5, seconds=1))
    said(answer(client, gateway.code()), 400, "这个验证码已失效，请重新获取", "重新发送")
    assert not signed_in(client) and User.objects.count() == 0


# The wallet's answer


@pytest.mark.parametrize("whose", ["nobody's", "another browser's", "used up"])
def test_an_answer_that_is_not_for_this_browser_opens_nothing(client: Client, whose: str) -> None:
    user = payments.user()
    WalletIdentity.objects.create(
        user=user, channel="wechat_pay", app_id="wx-app", subject="o-anna",
        created_at=timezone.now(),
    )  # fmt: skip
    state = leave(Client() if whose == "another browser's" else client)
    if whose == "used up":
        client.get(BACK, {"code": "anna", "state": state})
        client.post("/accounts/logout")
    books = Books()
    sent = "x" if whose == "nobody's" else state
    said(
        client.get(BACK, {"code": "anna", "state": sent}),
        400,
        "已用过，或等得太久",
        "请重新开始",
        "用手机号登录",
    )
    assert books.changed() == [] and not signed_in(client)


# Other people's things


@pytest.mark.parametrize("page", ["", "/pay", "/result", "/receipt"])
def test_somebody_elses_bill_is_no_page_and_says_where_ones_own_are(
    family: tuple[User, Patient, Client], page: str
) -> None:
    bill, books = portal_house.bill(people.patient(name="赵铁柱")), Books()
    said(
        family[2].get(f"/bills/{bill.pk}{page}"),
        404,
        "没有这个页面",
        "请核对",
        "首页",
        "不用手机也能办",
    )
    assert books.changed() == []


def test_a_tag_there_is_none_of_says_what_to_do(family: tuple[User, Patient, Client]) -> None:
    books = Books()
    said(family[2].get("/t/NOWHERE"), 404, "这个标签没有启用", "到窗口询问", "打开我的码")
    assert books.changed() == []


# Cards


@pytest.mark.parametrize(
    ("relation", "sentence"),
    [
        ("self", "您已绑定本人的就诊卡。要更换，请先解除"),
        ("parent", "要绑定家人，请填家人的证件号"),
    ],
)
def test_a_card_bound_already_is_named_as_that(
    family: tuple[User, Patient, Client], relation: str, sentence: str
) -> None:
    _user, own, phone = family
    books = Books()
    typed = {
        "relation": relation, "name": own.name, "id_type": "id_card",
        "id_number": own.id_number, "card_no": "", "step": "",
    }  # fmt: skip
    said(phone.post("/family/add", typed), 409, sentence)
    assert books.changed() == []
    assert PatientAccess.objects.filter(patient=own).count() == 1


# Agreements


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"single": "-5", "daily": "10"}, "至少输入¥0.01"),
        ({"single": "0", "daily": "10"}, "至少输入¥0.01"),
        ({"single": "5", "daily": "-10"}, "至少输入¥0.01"),
        ({"single": "9999999", "daily": "9999999"}, "最多"),
        ({"single": "3", "daily": "2"}, "每天"),
        ({"single": "1.005", "daily": "2"}, "分"),
    ],
    ids=str,
)
def test_a_limit_that_cannot_be_changes_nothing(
    family: tuple[User, Patient, Client], sent: dict[str, str], sentence: str
) -> None:
    user, own, phone = family
    row, books = payments.agreement(own, user), Books()
    said(phone.post(f"/agreements/{row.pk}/limits", sent), 400, sentence)
    assert books.changed() == []


def test_a_bill_over_the_limit_is_not_deducted_and_says_why(
    family: tuple[User, Patient, Client],
) -> None:
    user, own, phone = family
    consent_give(user=user, purpose="deduction", by=patient_actor(user))
    row = payments.agreement(own, user, own_single_fen=8_639)
    bill, books = portal_house.bill(own, 8_640), Books()
    shown = phone.get(f"/bills/{bill.pk}/pay")
    said(shown, 200, "¥86.39")
    page = phone.post(f"/bills/{bill.pk}/pay", {"way": f"agreement-{row.pk}", "form_key": "k1"})
    said(page, 409, "这笔金额超过了这份免密支付的限额。请换一种方式。", "没有扣款")
    assert books.changed() == []
