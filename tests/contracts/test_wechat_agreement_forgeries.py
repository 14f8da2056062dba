"""T12 for agreements: a sign or unsign notice that is not proven leaves nothing, and one that is
truly signed moves only the agreement it is about, once, and only by the holder's own wallet.

Every body goes through the real door and the real adapter; what is stored is applied at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from billing.models import Agreement, AgreementPatient, BillingReview, Merchant, PaymentNotice
from billing.services.notices.applying import notice_apply
from core import clock
from core.models import AuditEvent, StateChange
from patients.models import Consent, Notification, WalletIdentity
from tests.billing.channels import wechat_vendor as wx
from tests.factories import payments
from tests.factories.patients import patient

pytestmark = [pytest.mark.django_db, pytest.mark.proof("T12")]

SIGN, END = "ADD", "DELETE"
OTHER_KEY = "f" * 32
CONTRACT, STRANGER = "Wx15463511252015071056489715", "oStranger"
Fields = dict[str, str]
LEFT: tuple[type[Model], ...] = (
    Agreement,
    AgreementPatient,
    BillingReview,
    Consent,
    Notification,
    StateChange,
    WalletIdentity,
)


def merchant(merchant_no: str = wx.MCHID, **secrets: str) -> Merchant:
    values = {"secrets": json.dumps(dict(wx.account(**secrets).secrets)), "app_id": wx.APPID}
    return payments.merchant(merchant_no, **values)


def signing(of: Merchant | None = None) -> Agreement:
    """A mandate that waits for its sign notice."""
    holder, ward = payments.user(), patient()
    payments.access(ward, holder)
    return payments.signing([ward], holder, of or merchant())


def signed() -> Agreement:
    """A mandate that its holder's wallet has signed."""
    agreement = signing()
    tell(said(agreement, SIGN))
    agreement.refresh_from_db()
    assert agreement.status == "ACTIVE"
    return agreement


def said(agreement: Agreement, change: str, **changed: str) -> Fields:
    """What the channel says of an agreement, not signed yet; "-" leaves a field out."""
    whole = {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS",
        "mch_id": wx.MCHID,
        "contract_code": agreement.contract_code,
        "plan_id": agreement.plan.plan_id,
        "openid": wx.OPENID,
        "change_type": change,
        "operate_time": f"2026-11-20 09:59:5{8 if change == SIGN else 9}",
        "contract_id": CONTRACT,
        **changed,
    }
    return {name: value for name, value in whole.items() if value != "-"}


def proven(fields: Mapping[str, str], **how: str) -> bytes:
    return wx.v2_xml({**fields, "sign": wx.v2_sign(fields, **how)})


def tell(fields: Mapping[str, str], merchant_no: str = wx.MCHID, **how: str) -> int:
    """A genuine notice at the door, applied; the answer's status."""
    return post(proven(fields, **how), merchant_no)


def post(body: bytes, merchant_no: str = wx.MCHID, kind: str = "agreement") -> int:
    answer = Client().post(
        f"/notices/wechat_pay/{merchant_no}/{kind}", body, content_type="text/xml"
    )
    for notice_id in PaymentNotice.objects.filter(applied_at=None).values_list("pk", flat=True):
        notice_apply(notice_id=notice_id)
    return answer.status_code


def rows() -> dict[str, list[Any]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values()) for model in LEFT
    }


Forged = Callable[[Agreement, str], bytes]


def unproven(**changed: str) -> Forged:
    """No sign at all, or the one that is named."""
    return lambda agreement, change: wx.v2_xml({**said(agreement, change), **changed})


def after(**changed: str) -> Forged:
    """Changed after it was signed."""

    def made(agreement: Agreement, change: str) -> bytes:
        fields = said(agreement, change)
        return wx.v2_xml({**fields, "sign": wx.v2_sign(fields), **changed})

    return made


def genuine(**changed: str) -> Forged:
    """Truly signed by our key, and still nothing that may be believed."""
    return lambda agreement, change: proven(said(agreement, change, **changed))


def keyed(**how: str) -> Forged:
    return lambda agreement, change: proven(said(agreement, change), **how)


def raw(change_body: Callable[[bytes], bytes]) -> Forged:
    return lambda agreement, change: change_body(proven(said(agreement, change)))


def lifted(agreement: Agreement, change: str) -> bytes:
    """The sign of a true notice about somebody else's agreement, under this one's words."""
    old = wx.v2_sign(said(signing(agreement.plan.merchant), change))
    return wx.v2_xml({**said(agreement, change), "sign": old})


def turned(agreement: Agreement, change: str) -> bytes:
    """The sign of the opposite change."""
    old = wx.v2_sign(said(agreement, END if change == SIGN else SIGN))
    return wx.v2_xml({**said(agreement, change), "sign": old})


def _lower(body: bytes) -> bytes:
    head, tail = body.split(b"<sign><![CDATA[")
    return head + b"<sign><![CDATA[" + tail.lower()


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'
FORGERIES: dict[str, Forged] = {
    "no sign": unproven(),
    "empty sign": unproven(sign=""),
    "wrong sign": unproven(sign="0" * 32),
    "sign of another notice": lifted,
    "sign of the opposite": turned,
    "another key": keyed(secret=OTHER_KEY),
    "another kind of sign": keyed(kind="HMAC-SHA256"),
    "lower-case sign": raw(_lower),
    "other user after signing": after(openid=STRANGER),
    "other contract after signing": after(contract_id="Wx999"),
    "other plan after signing": after(plan_id="999999"),
    "other time after signing": after(operate_time="2026-11-21 00:00:00"),
    "field added after signing": after(extra="1"),
    "no such merchant's words": genuine(mch_id=wx.OTHER_MCHID),
    "no merchant": genuine(mch_id="-"),
    "another app": genuine(appid=wx.OTHER_APPID),
    "no user": genuine(openid="-"),
    "no contract": genuine(contract_id="-"),
    "no agreement": genuine(contract_code="-"),
    "no plan": genuine(plan_id="-"),
    "unheard change": genuine(change_type="MOVE"),
    "no change": genuine(change_type="-"),
    "failed": genuine(result_code="FAIL"),
    "failed as communication": genuine(return_code="FAIL"),
    "a number that is none": genuine(contract_code="AG 1; DROP"),
    "entity": raw(lambda body: BOMB + body),
    "cut": raw(lambda body: body[:-6]),
    "field twice": raw(lambda body: body.replace(b"</xml>", b"<openid>x</openid></xml>")),
    "other root": raw(lambda body: body.replace(b"xml>", b"root>")),
    "64 KiB": raw(lambda body: body.replace(b"</xml>", b" " * 70_000 + b"</xml>")),
    "JSON": lambda _agreement, _change: b'{"id":"EV-1","event_type":"CONTRACT.ADD"}',
    "nothing": lambda _agreement, _change: b"",
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("change", [SIGN, END])
def test_a_forged_notice_leaves_nothing(name: str, change: str) -> None:
    agreement = signing() if change == SIGN else signed()
    body = FORGERIES[name](agreement, change)
    before, kept = rows(), PaymentNotice.objects.count()
    assert post(body) in (400, 413)
    assert rows() == before
    assert PaymentNotice.objects.count() == kept
    lines = AuditEvent.objects.filter(action="notice_refused")
    assert all(wx.OPENID not in json.dumps(line.detail) for line in lines)


@pytest.mark.parametrize("change", [SIGN, END])
@pytest.mark.parametrize("kind", ["capture", "refund", "nothing"])
def test_a_true_notice_at_another_address_leaves_nothing(change: str, kind: str) -> None:
    agreement = signing() if change == SIGN else signed()
    before, kept = rows(), PaymentNotice.objects.count()
    assert post(proven(said(agreement, change)), kind=kind) in (400, 404)
    assert (rows(), PaymentNotice.objects.count()) == (before, kept)


def same(agreement: Agreement, status: str, review: str = "") -> None:
    """It stands as it stood; a person is asked where the channel contradicted us."""
    agreement.refresh_from_db()
    assert agreement.status == status
    assert [one.figures["differs"] for one in BillingReview.objects.all()] == (
        [review] if review else []
    )


@pytest.mark.parametrize("change", [SIGN, END])
def test_another_merchant_of_ours_says_nothing_about_it(change: str) -> None:
    agreement = signing() if change == SIGN else signed()
    other = merchant(wx.OTHER_MCHID, api_v2_key=OTHER_KEY)
    fields = said(agreement, change, mch_id=other.merchant_no)
    assert tell(fields, other.merchant_no, secret=OTHER_KEY) == 200
    same(agreement, "SIGNING" if change == SIGN else "ACTIVE", "another merchant")


@pytest.mark.parametrize("change", [SIGN, END])
def test_another_plan_is_not_this_agreement(change: str) -> None:
    agreement = signing() if change == SIGN else signed()
    tell(said(agreement, change, plan_id="100009"))
    same(agreement, "SIGNING" if change == SIGN else "ACTIVE", "another plan")


def test_another_users_signing_ends_unsigned() -> None:
    agreement = signing()
    WalletIdentity.objects.create(
        user=agreement.holder,
        channel="wechat_pay",
        app_id=wx.APPID,
        subject=wx.OPENID,
        created_at=clock.now(),
    )
    tell(said(agreement, SIGN, openid=STRANGER))
    same(agreement, "ENDED", "another wallet")
    assert (agreement.payer_id, agreement.signed_at) == ("", None)
    assert not WalletIdentity.objects.filter(subject=STRANGER).exists()


def test_another_users_end_ends_nothing() -> None:
    agreement = signed()
    tell(said(agreement, END, openid=STRANGER))
    same(agreement, "ACTIVE", "another wallet")


def test_another_contracts_end_ends_nothing() -> None:
    agreement = signed()
    tell(said(agreement, END, contract_id="Wx20200000000"))
    same(agreement, "ACTIVE")


def test_the_contract_of_another_agreement_signs_nothing() -> None:
    signed()
    second = signing()
    tell(said(second, SIGN, openid=STRANGER, operate_time="2026-11-20 10:00:00"))
    same(second, "SIGNING", "contract of another agreement")


@pytest.mark.parametrize("change", [SIGN, END])
def test_an_agreement_nobody_began_changes_nothing_and_is_a_question(change: str) -> None:
    agreement = signing()
    before = rows()
    tell(said(agreement, change, contract_code="AGnobody"))
    after = rows()
    [review] = after.pop("billing.BillingReview")
    assert (review["reason_code"], review["figures"]) == ("unknown_order", {"number": "AGnobody"})
    assert after == {name: found for name, found in before.items() if name in after}


def test_a_repeated_signing_signs_once() -> None:
    agreement = signed()
    before = rows()
    for _again in range(3):
        assert tell(said(agreement, SIGN)) == 200
    assert rows() == before
    assert PaymentNotice.objects.get().deliveries == 4


def test_a_signing_replayed_after_the_end_revives_nothing() -> None:
    agreement = signed()
    tell(said(agreement, END))
    before = rows()
    tell(said(agreement, SIGN))
    tell(said(agreement, END))
    assert rows() == before
    same(agreement, "ENDED")


def test_a_signing_told_anew_after_the_end_revives_nothing() -> None:
    agreement = signed()
    tell(said(agreement, END))
    before = rows()
    tell(said(agreement, SIGN, operate_time="2026-11-20 10:30:00"))
    assert rows() == before
    same(agreement, "ENDED")


def test_an_end_that_overtakes_its_signing_wins() -> None:
    agreement = signing()
    tell(said(agreement, END))
    tell(said(agreement, SIGN))
    same(agreement, "ENDED")
    assert (agreement.payer_id, agreement.unsign_asked_at) == ("", None)


def test_the_same_event_with_other_words_is_a_question() -> None:
    agreement = signed()
    tell(said(agreement, SIGN, openid=STRANGER))
    agreement.refresh_from_db()
    assert (agreement.status, agreement.payer_id) == ("ACTIVE", wx.OPENID)
    assert BillingReview.objects.count() == 1


def test_there_are_enough() -> None:
    assert len(FORGERIES) * 2 >= 40
