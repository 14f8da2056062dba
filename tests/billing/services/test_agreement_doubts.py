"""A deduction refused as if its agreement were gone: the channel is asked, and its word counts."""

from __future__ import annotations

import pytest

from billing.channels.alipay import Alipay
from billing.channels.base import ChannelAnswer, Operation
from billing.channels.wechat_pay import WechatPay
from billing.models import Agreement, Invoice
from billing.services.agreements.sweeps import agreement_look, agreements_due
from billing.services.invoice_drive import invoice_drive
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.agreement_house import GONE, SILENT, STANDS, Wallet, wallet_of
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db
CODES = [
    *(("wechat_pay", code) for code in ("CONTRACT_NOT_EXIST", "CONTRACT_NOT_EXISTS")),
    ("alipay", "ACQ.AGREEMENT_NOT_EXIST"),
    ("alipay", "ACQ.AGREEMENT_INVALID"),
    ("alipay", "ACQ.AGREEMENT_STATUS_NOT_NORMAL"),
]
REAL = {"wechat_pay": WechatPay, "alipay": Alipay}


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


def refused(channel: str, code: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Agreement, Invoice]:
    """A bill whose deduction the channel refused with this code."""
    monkeypatch.setattr(scripted.ScriptedChannel, "agreement_gone", REAL[channel].agreement_gone)
    bill = invoice(1_000)
    agreement = payments.agreement(bill.patient)
    Agreement.objects.filter(pk=agreement.pk).update(due_at=None)
    scripted.script(Operation.CAPTURE, ChannelAnswer(Outcome.DECLINED, code=code))
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return agreement, bill


def swept(agreement: Agreement) -> str:
    for agreement_id in agreements_due(limit=10):
        agreement_look(agreement_id=agreement_id)
    agreement.refresh_from_db()
    return str(agreement.status)


@pytest.mark.parametrize(("channel", "code"), CODES)
def test_the_bill_falls_to_the_link_and_the_query_ends_the_agreement(
    channel: str, code: str, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet.queries.append(GONE)
    agreement, bill = refused(channel, code, monkeypatch)
    assert (bill.status, wallet.asked) == ("ISSUED", [])
    assert swept(agreement) == "ENDED"
    assert wallet.verbs == ["query"]


def test_one_that_still_stands_is_kept(wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
    wallet.queries.append(STANDS)
    agreement, bill = refused("alipay", "ACQ.AGREEMENT_INVALID", monkeypatch)
    assert (bill.status, swept(agreement)) == ("ISSUED", "ACTIVE")


def test_no_word_ends_nothing(wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
    wallet.queries.append(SILENT)
    agreement, _bill = refused("alipay", "ACQ.AGREEMENT_NOT_EXIST", monkeypatch)
    assert swept(agreement) == "ACTIVE"


@pytest.mark.parametrize(
    "code",
    ["ACQ.BUYER_BALANCE_NOT_ENOUGH", "ACQ.MERCHANT_AGREEMENT_INVALID", "ACQ.TOTAL_FEE_EXCEED"],
)
def test_other_refusals_ask_nobody(
    code: str, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement, _bill = refused("alipay", code, monkeypatch)
    assert (swept(agreement), wallet.asked) == ("ACTIVE", [])
