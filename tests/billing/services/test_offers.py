"""Every channel of the house from one page: what is offered, never two open orders of a bill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.channels.base import Mode, OrderReference, Source
from billing.ledger.checking import ledger_check
from billing.models import (
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentInstitution,
    PaymentTransaction,
    TransactionKind,
)
from billing.offers import Device, Wallet
from billing.selectors.pay_ways import wallets_open
from billing.services.apply import transaction_apply
from billing.services.collecting.pay_links import pay_link_offer
from core import clock
from core.errors import Conflict, NotOffered, Refusal
from core.models import User
from patients.models import WalletIdentity
from tests import scripted
from tests.billing.services import offer_house as house
from tests.billing.services.offer_house import H5, JSAPI, NATIVE, ORDERS, choose
from tests.factories import patients as people
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof.crowd import at_once

WECHAT_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile MicroMessenger/8.0.49"


@pytest.fixture(autouse=True)
def houses(settings: Any, scripted_channel: None) -> Iterator[None]:
    settings.PAYMENT_CHANNELS = house.TABLE
    house.reset()
    yield
    house.reset()


def flying(bill: Invoice) -> list[tuple[str, str]]:
    rows = PaymentTransaction.objects.filter(
        payment__invoice=bill, kind="CAPTURE", status__in=PaymentTransaction.IN_FLIGHT
    )
    return list(rows.values_list("payment__channel", "payment__mode"))


def known(app_id: str = "wx0001", subject: str = "oPayer1") -> User:
    user = payments.user()
    WalletIdentity.objects.create(
        user=user, channel="wechat_pay", app_id=app_id, subject=subject, created_at=clock.now()
    )
    return user


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["wechat_pay", "alipay"])
@pytest.mark.parametrize("mode", [NATIVE, H5])
def test_the_chosen_channel_makes_the_order(channel: str, mode: Mode) -> None:
    house.both()
    bill = invoice(8640)
    back = "https://pay.hospital.example/p/x/result"

    action = choose(bill, channel, mode, return_url=back)

    assert action is not None and flying(bill) == [(channel, mode)]
    [order] = house.SENT
    assert (order.merchant.channel, order.amount_fen, order.return_url) == (channel, 8640, back)


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["gold", "cash", "alipay", ""])
def test_a_channel_that_is_not_offered_is_refused_and_withdraws_nothing(channel: str) -> None:
    # Given an open WeChat order, and Alipay's institution suspended
    house.both()
    PaymentInstitution.objects.filter(code="alipay").update(suspended=True)
    bill = invoice(8640)
    choose(bill, "wechat_pay", NATIVE)

    with pytest.raises(NotOffered):
        choose(bill, channel, H5, "k2")

    assert flying(bill) == [("wechat_pay", "native")] and house.EVENTS == [
        ("wechat_pay", "capture")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [Mode.SCAN, Mode.AGREEMENT, Mode.CASH])
def test_a_mode_nobody_opens_by_hand_is_refused(mode: Mode) -> None:
    house.both()
    bill = invoice(8640)
    with pytest.raises(NotOffered):
        choose(bill, "wechat_pay", mode)
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_another_campus_or_an_ended_term_offers_nothing() -> None:
    elsewhere = people.campus(code="east")
    house.alipay_merchant(campus=elsewhere)
    payments.merchant()
    PaymentInstitution.objects.filter(code="tenpay").update(
        agreement_until=clock.today() - timedelta(days=1)
    )
    bill = invoice(8640)
    for channel in ("wechat_pay", "alipay"):
        with pytest.raises(NotOffered):
            choose(bill, channel, NATIVE)
    assert wallets_open(invoice=bill, visitor_id=None, device=Device.PHONE) == ()


@pytest.mark.django_db
def test_the_same_way_shows_the_same_order() -> None:
    house.both()
    bill = invoice(8640)
    first, again = choose(bill, "alipay", NATIVE), choose(bill, "alipay", NATIVE, "k2")
    assert first == again and len(house.SENT) == 1


@pytest.mark.django_db
def test_wechats_open_order_is_closed_before_alipays_is_made() -> None:
    house.both()
    bill = invoice(8640)
    choose(bill, "wechat_pay", H5)

    assert choose(bill, "alipay", H5, "k2") is not None

    assert house.EVENTS == [
        ("wechat_pay", "capture"),
        ("wechat_pay", "close"),
        ("alipay", "capture"),
    ]
    assert flying(bill) == [("alipay", "h5")] and len(house.live()) == 1


@pytest.mark.django_db
def test_an_order_found_paid_when_it_is_closed_pays_the_bill_and_no_other_is_made() -> None:
    # Given a WeChat order that was paid, whose notice has not come
    house.both()
    bill = invoice(8640)
    choose(bill, "wechat_pay", NATIVE)
    ORDERS[house.SENT[0].number] = "paid"

    # When its payer's relative chooses Alipay at the same link
    link = pay_link_offer(invoice=bill)
    sent = {"way": "alipay.h5", "form_key": "k2"}
    answer = Client().post(f"/p/{link.token}/pay", sent)

    # Then the result page says paid, and Alipay was never asked
    assert answer.url == f"/p/{link.token}/result"
    assert "已支付" in Client().get(answer.url).content.decode()
    bill.refresh_from_db()
    assert bill.status == InvoiceStatus.PAID and len(house.SENT) == 1
    assert ledger_check().sound


@pytest.mark.django_db
@pytest.mark.parametrize("found", ["paid in this moment", "silent"])
def test_an_order_that_cannot_be_closed_now_stands_in_the_way(
    monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    # Given a close that WeChat refuses because it was just paid, or does not answer
    house.both()
    bill = invoice(8640)
    choose(bill, "wechat_pay", NATIVE)

    def close(self: house.Wechat, order: OrderReference) -> Any:
        if found == "silent":
            return scripted.SILENT
        ORDERS[order.number] = "paid"
        return house.Wechat.state(self, order) and scripted.ChannelAnswer(
            scripted.Outcome.UNKNOWN, code="ORDERPAID", executed=True
        )

    monkeypatch.setattr(house.Wechat, "close", close)

    with pytest.raises(Conflict) as refused:
        choose(bill, "alipay", NATIVE, "k2")

    assert refused.value.code == "in_progress"
    assert len(house.SENT) == 1 and flying(bill) == [("wechat_pay", "native")]


@pytest.mark.django_db
def test_an_alipay_code_nobody_opened_is_given_up_and_what_it_still_brings_goes_back(
    still_clock: clock.FrozenClock,
) -> None:
    # Given Alipay's code, shown this very moment
    house.both()
    bill = invoice(8640)
    choose(bill, "alipay", NATIVE)
    with pytest.raises(Conflict):
        choose(bill, "wechat_pay", NATIVE, "k2")

    # When the payer comes back to WeChat a little later
    still_clock.advance(timedelta(seconds=11))
    assert choose(bill, "wechat_pay", NATIVE, "k3") is not None
    assert flying(bill) == [("wechat_pay", "native")]

    # And somebody pays the old code all the same
    old = PaymentTransaction.objects.get(payment__channel="alipay")
    transaction_apply(transaction_id=old.pk, answer=scripted.PAID, source=Source.NOTICE)

    # Then that money is on its way back, and WeChat's order is still the bill's only one
    refund = PaymentTransaction.objects.get(kind=TransactionKind.REFUND)
    assert (refund.original_id, refund.amount_fen) == (old.pk, 8640)
    assert flying(bill) == [("wechat_pay", "native")]
    assert ledger_check().sound


@pytest.mark.django_db
def test_inside_wechat_the_order_names_the_visitors_openid_of_the_merchants_app() -> None:
    house.both()
    bill, user = invoice(8640), known()

    action = choose(bill, "wechat_pay", JSAPI, visitor_id=user.pk, payer_id=user.pk)

    assert action is not None and action.type == "wallet"
    assert house.SENT[0].payer_subject == "oPayer1"
    assert wallets_open(invoice=bill, visitor_id=user.pk, device=Device.WECHAT)[0] == Wallet(
        "wechat_pay", known=True
    )


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "no wallet", "another app", "alipay"])
def test_inside_wechat_nobody_pays_without_an_openid_of_this_app(who: str) -> None:
    house.both()
    bill = invoice(8640)
    user = known("wx0002" if who == "another app" else "wx0001") if who != "no wallet" else None
    visitor = None if who == "nobody" else (user or payments.user()).pk
    with pytest.raises(NotOffered):
        choose(bill, "alipay" if who == "alipay" else "wechat_pay", JSAPI, visitor_id=visitor)
    assert not Payment.objects.exists() and house.EVENTS == []


@pytest.mark.django_db
def test_an_order_inside_wechat_is_its_payers_alone() -> None:
    # Given an order of one payer, pressed twice
    house.both()
    bill, mother, son = invoice(8640), known(), known(subject="oPayer2")
    first = choose(bill, "wechat_pay", JSAPI, visitor_id=mother.pk)
    assert choose(bill, "wechat_pay", JSAPI, visitor_id=mother.pk) == first

    # When another opens the bill in his own WeChat
    choose(bill, "wechat_pay", JSAPI, "k2", visitor_id=son.pk)

    # Then hers is closed, and his names him
    assert [order.payer_subject for order in house.SENT] == ["oPayer1", "oPayer2"]
    assert len(house.live()) == 1 and flying(bill) == [("wechat_pay", "jsapi")]


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["son", "nobody signed in"])
def test_an_order_of_a_known_payer_is_nobody_elses(other: str) -> None:
    # Given the order of a daughter who is signed in, pressed twice
    house.both()
    bill, daughter = invoice(8640), known()
    other_id = known(subject="oPayer2").pk if other == "son" else None
    first = choose(bill, "wechat_pay", H5, payer_id=daughter.pk)
    assert choose(bill, "wechat_pay", H5, "k2", payer_id=daughter.pk) == first

    # When somebody else presses the same way
    choose(bill, "wechat_pay", H5, "k3", payer_id=other_id)

    # Then hers is closed; whoever pays now is told, and gets what comes back
    assert len(house.SENT) == 2 and len(house.live()) == 1
    ended, live = PaymentTransaction.objects.order_by("pk")
    assert (ended.status, ended.payment.payer_id) == ("CLOSED", daughter.pk)
    assert (live.status, live.payment.payer_id) == ("PENDING", other_id)


@pytest.mark.django_db
def test_an_order_of_nobody_in_particular_is_anybodys() -> None:
    house.both()
    bill, daughter = invoice(8640), known()
    first = choose(bill, "wechat_pay", H5)
    assert choose(bill, "wechat_pay", H5, "k2", payer_id=daughter.pk) == first
    assert len(house.SENT) == 1


@pytest.mark.django_db
def test_the_last_used_channel_stands_first_and_else_none_is_favoured() -> None:
    house.both()
    bill, user = invoice(8640), payments.user()

    def order(visitor_id: int | None = None) -> list[str]:
        found = wallets_open(invoice=bill, visitor_id=visitor_id, device=Device.DESKTOP)
        return [wallet.channel for wallet in found]

    assert order() == order(user.pk) == ["wechat_pay", "alipay"]
    choose(invoice(100, of=bill.encounter), "alipay", NATIVE)
    assert (order(), order(user.pk)) == (["alipay", "wechat_pay"], ["wechat_pay", "alipay"])
    choose(invoice(100, of=bill.encounter), "alipay", NATIVE, "k2", payer_id=user.pk)
    assert order(user.pk) == ["alipay", "wechat_pay"]


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["alipay.h5", "gold.native", "wechat_pay.jsapi", "cash.native"])
def test_a_forged_way_is_answered_with_a_sentence(way: str) -> None:
    payments.merchant()
    link = pay_link_offer(invoice=invoice(8640))
    phone = Client(headers={"User-Agent": WECHAT_PHONE})
    answer = phone.post(f"/p/{link.token}/pay", {"way": way, "form_key": "k"})
    assert answer.status_code == 409
    assert "这里不能用这种支付方式" in answer.content.decode()
    assert not Payment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_ways_pressed_in_one_moment_leave_one_order() -> None:
    """Every press is refused, or its order ended before the next was made."""
    house.both()
    user = known()
    ways = [("wechat_pay", NATIVE), ("alipay", NATIVE), ("wechat_pay", H5), ("alipay", H5)]
    ways += [("wechat_pay", JSAPI)]
    for turn in range(6):
        house.reset()
        bill = invoice(8640)

        def press(way: tuple[str, Mode], key: str, of: Invoice = bill) -> str:
            try:
                choose(of, *way, key, visitor_id=user.pk)
            except Refusal as refusal:
                return refusal.code
            return "made"

        told = at_once(
            [lambda w=way, k=f"{turn}-{n}": press(w, k) for n, way in enumerate(ways * 2)]
        )

        assert set(told) <= {"made", "in_progress", "not_payable"} and "made" in told, told
        assert len(house.live()) == len(flying(bill)) <= 1, (told, ORDERS)
        bill.refresh_from_db()
        assert bill.status in (InvoiceStatus.COLLECTING, InvoiceStatus.ISSUED)
