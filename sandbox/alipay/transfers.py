"""Transfers: a merchant pays a person, whose name must be the account's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q

from sandbox.alipay.books import entry_add
from sandbox.alipay.models import BookEntry, Merchant, Transfer, Wallet
from sandbox.alipay.numbers import order_number
from sandbox.alipay.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

Status = Transfer.Status
LEAST_FEN = 10
SINGLE_FEN = 5_000_000  # ¥50,000 to a person


@dataclass(frozen=True)
class Payout:
    """What a merchant wants to pay to whom."""

    out_biz_no: str
    amount_fen: int
    identity: str
    identity_type: str
    name: str
    title: str
    fingerprint: str


@transaction.atomic
def transfer_make(merchant: Merchant, wanted: Payout, fault: Fault | None) -> Transfer:
    """The transfer of this number; asked for again it is the same one."""
    known = _find(merchant, wanted.out_biz_no)
    if known is not None:
        return _same(known, wanted)
    wallet = _payee(wanted)
    merchant = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if merchant.payout_fen < wanted.amount_fen:
        raise Refused("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")
    own_number, name = order_number(), fault.name if fault else ""
    Transfer.objects.bulk_create(
        [
            Transfer(
                merchant=merchant,
                out_biz_no=wanted.out_biz_no,
                order_id=own_number,
                fingerprint=wanted.fingerprint,
                wallet=wallet,
                amount_fen=wanted.amount_fen,
                title=wanted.title,
                fate={"decline": "FAIL", "returned_after_success": "REFUND"}.get(name, "SUCCESS"),
                held_by=fault.id if fault and name == "never_final" else "",
                created_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    made = _find(merchant, wanted.out_biz_no)
    assert made is not None
    if made.order_id != own_number:
        return _same(made, wanted)
    if not made.held_by:
        _finish(made)
    return made


def _find(merchant: Merchant, out_biz_no: str) -> Transfer | None:
    rows = Transfer.objects.select_for_update(of=("self",)).select_related("merchant", "wallet")
    return rows.filter(merchant=merchant, out_biz_no=out_biz_no).first()


def _same(known: Transfer, wanted: Payout) -> Transfer:
    if known.fingerprint != wanted.fingerprint:
        raise Refused("BIZ_UNIQUE_EXCEPTION", "商户订单号冲突")
    return known


def _payee(wanted: Payout) -> Wallet:
    where = {
        "ALIPAY_USER_ID": Q(user_id=wanted.identity),
        "ALIPAY_LOGON_ID": Q(logon_id=wanted.identity) | Q(phone=wanted.identity),
    }.get(wanted.identity_type)
    if where is None or (wanted.identity_type == "ALIPAY_LOGON_ID" and not wanted.name):
        raise Refused("INVALID_PARAMETER", "参数有误：payee_info")
    if not wanted.amount_fen >= LEAST_FEN:
        raise Refused("INVALID_PARAMETER", "参数有误：trans_amount")
    if wanted.amount_fen > SINGLE_FEN:
        raise Refused("EXCEED_LIMIT_SM_AMOUNT", "单笔额度超限")
    wallet = Wallet.objects.filter(where).first()
    if wallet is None:
        raise Refused("PAYEE_NOT_EXIST", "收款账号不存在")
    if wanted.name and wanted.name != wallet.name:
        raise Refused("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配，请确认姓名是否正确")
    return wallet


def _finish(transfer: Transfer) -> None:
    transfer.ended_at, transfer.held_by = clock.now(), ""
    if transfer.fate == "FAIL":
        transfer.status, transfer.error_code = Status.FAIL, "PAYEE_ACCOUNT_STATUS_ERROR"
        transfer.save()
        return
    transfer.status = Status.SUCCESS
    _move(transfer, BookEntry.Kind.TRANSFERRED)
    transfer.save()


def _move(transfer: Transfer, kind: BookEntry.Kind) -> None:
    paid = transfer.amount_fen if kind == BookEntry.Kind.TRANSFERRED else -transfer.amount_fen
    Merchant.objects.filter(pk=transfer.merchant_id).update(payout_fen=F("payout_fen") - paid)
    Wallet.objects.filter(pk=transfer.wallet_id).update(balance_fen=F("balance_fen") + paid)
    entry_add(
        transfer.merchant,
        kind,
        transfer.amount_fen,
        number=transfer.out_biz_no,
        own_number=transfer.order_id,
        parent=transfer.out_biz_no if kind == BookEntry.Kind.RETURNED else "",
    )


@transaction.atomic
def transfer_look(merchant: Merchant, out_biz_no: str) -> Transfer:
    """How a transfer stands; one that a bank sends back has come back by the first look."""
    transfer = _find(merchant, out_biz_no)
    if transfer is None:
        raise Refused("ORDER_NOT_EXIST", "转账订单不存在")
    if transfer.status == Status.SUCCESS and transfer.fate == "REFUND":
        transfer_return(transfer)
    return transfer


def transfer_return(transfer: Transfer) -> None:
    """The money of a finished transfer comes back to the merchant (退票)."""
    transfer.status, transfer.error_code = Status.REFUND, "PAYEE_ACCOUNT_STATUS_ERROR"
    transfer.fate = "REFUND"
    _move(transfer, BookEntry.Kind.RETURNED)
    transfer.save()


@transaction.atomic
def transfer_settle(pk: int, fate: str = "") -> Transfer:
    """End a transfer that was held, or send a finished one back."""
    rows = Transfer.objects.select_for_update(of=("self",)).select_related("merchant", "wallet")
    transfer = rows.get(pk=pk)
    if transfer.status == Status.DEALING:
        transfer.fate = fate or transfer.fate
        _finish(transfer)
    if fate == "REFUND" and transfer.status == Status.SUCCESS:
        transfer_return(transfer)
    return transfer


def transfers_held(standing: Iterable[str]) -> list[int]:
    """Transfers held by a fault that no longer stands."""
    rows = Transfer.objects.filter(status=Status.DEALING).exclude(held_by="")
    return list(rows.exclude(held_by__in=list(standing)).values_list("pk", flat=True))
