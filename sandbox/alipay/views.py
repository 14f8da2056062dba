"""What the methods of the gateway do: trades, refunds, transfers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from sandbox.alipay import contracts, refunds, trades, transfers
from sandbox.alipay.models import Refund, Trade
from sandbox.alipay.refusal import Refused, parameter
from sandbox.alipay.shown import (
    contract_json,
    paid_json,
    refund_json,
    refund_state_json,
    trade_json,
    transfer_json,
    transfer_state_json,
)
from sandbox.alipay.wire import Asked
from sandbox.world.faults import Fault

Out = dict[str, Any]
FACE_LIFE, OFFER_LIFE = timedelta(hours=3), timedelta(hours=2)
AUTH_PREFIXES = ("25", "26", "27", "28", "29", "30")
QR = "https://qr.alipay.com/"


def precreate(asked: Asked, _fault: Fault | None) -> Out:
    wanted = _wanted(asked, "precreate", express="qr_code_timeout_express", life=OFFER_LIFE)
    with transaction.atomic():
        trade, _ = trades.trade_begin(asked.merchant, wanted)
    return {"out_trade_no": trade.out_trade_no, "qr_code": f"{QR}{trade.token}"}


def pay(asked: Asked, fault: Fault | None) -> Out:
    """A scanned code, or a deduction by agreement."""
    agreement = asked.content.get("agreement_params")
    if isinstance(agreement, dict):
        wanted = _wanted(asked, "withhold", agreement.get("agreement_no"), life=FACE_LIFE)
        product = asked.need("product_code")
        trade = contracts.deduction_take(
            asked.merchant, wanted, str(agreement.get("agreement_no", "")), product, fault
        )
    else:
        code = asked.need("auth_code", 64)
        if asked.need("scene") != "bar_code" or code[:2] not in AUTH_PREFIXES:
            raise Refused("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效")
        wanted = _wanted(asked, "bar_code", code, life=FACE_LIFE)
        trade = trades.trade_scan(asked.merchant, wanted, code, fault)
    if trade.state == Trade.State.WAIT_BUYER_PAY:
        waiting = {"code": "10003", "msg": "order success pay inprocess"}
        return waiting | {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}
    return paid_json(trade)


def wap_trade(asked: Asked) -> Trade:
    """The link a person opened: an offer until somebody is about to pay it."""
    if asked.need("product_code") not in ("QUICK_WAP_WAY", "QUICK_WAP_PAY"):
        raise parameter("product_code")
    with transaction.atomic():
        return trades.trade_begin(asked.merchant, _wanted(asked, "wap", life=OFFER_LIFE))[0]


def _wanted(
    asked: Asked,
    product: str,
    *parts: object,
    life: timedelta,
    express: str = "timeout_express",
) -> trades.Wanted:
    number, subject, total_fen = asked.number(), asked.need("subject"), asked.fen("total_amount")
    if set(subject) & set("/=&"):
        raise parameter("subject")
    if asked.text("seller_id") not in ("", asked.merchant.pid):
        raise Refused("ACQ.PARTNER_ERROR", "应用与收款方不一致")
    return trades.Wanted(
        out_trade_no=number,
        product=product,
        subject=subject,
        total_fen=total_fen,
        fingerprint=asked.fingerprint(number, total_fen, *parts),
        expires_at=asked.deadline(default=life, express=express),
        notify_url=asked.notify_url,
        return_url=asked.return_url,
    )


def query(asked: Asked, _fault: Fault | None) -> Out:
    with transaction.atomic():
        return trade_json(trades.trade_lock(asked.merchant, **asked.which()))


def close(asked: Asked, fault: Fault | None) -> Out:
    trade = trades.trade_close(asked.merchant, fault, **asked.which())
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def cancel(asked: Asked, _fault: Fault | None) -> Out:
    """Where no trade is found the reply names no action."""
    which = asked.which()
    try:
        trade, action = trades.trade_cancel(asked.merchant, **which)
    except Refused as error:
        if error.sub_code != "ACQ.TRADE_NOT_EXIST":
            raise
        return {"out_trade_no": which["out_trade_no"], "retry_flag": "N"}
    return {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "retry_flag": "N",
        "action": action,
    }


def refund(asked: Asked, fault: Fault | None) -> Out:
    which = asked.which()
    with transaction.atomic():
        trade = trades.trade_lock(asked.merchant, **which)
    amount_fen = asked.fen("refund_amount")
    number = asked.text("out_request_no", 64)
    if not number and amount_fen != trade.total_fen:
        raise parameter("out_request_no")
    row, moved = refunds.refund_apply(
        asked.merchant,
        refunds.Return(
            out_request_no=number or trade.out_trade_no,
            amount_fen=amount_fen,
            reason=asked.text("refund_reason"),
            **which,
        ),
        fault,
    )
    return refund_json(row) | {"fund_change": "Y" if moved else "N"}


def refund_query(asked: Asked, _fault: Fault | None) -> Out:
    """A refund the vendor does not know is answered without its number."""
    number = asked.need("out_request_no", 64)
    with transaction.atomic():
        trade = trades.trade_lock(asked.merchant, **asked.which())
    row = Refund.objects.filter(trade=trade, out_request_no=number).first()
    if row is None:
        return {}
    row.trade = trade
    options = asked.content.get("query_options", [])
    return refund_state_json(row, options if isinstance(options, list) else [])


def agreement_query(asked: Asked, _fault: Fault | None) -> Out:
    with transaction.atomic():
        contract = contracts.contract_lock(asked.merchant, **_which_contract(asked))
    if contract.wallet is None:
        raise Refused(contracts.GONE, "用户协议不存在")
    return contract_json(contract)


def agreement_unsign(asked: Asked, _fault: Fault | None) -> Out:
    contracts.contract_end(asked.merchant, **_which_contract(asked))
    return {}


def _which_contract(asked: Asked) -> dict[str, object]:
    if asked.text("agreement_no"):
        return {"agreement_no": asked.text("agreement_no")}
    personal = asked.need("personal_product_code")
    return {
        "external_agreement_no": asked.need("external_agreement_no"),
        "plan__product_code": personal.removesuffix("_P"),
        "plan__sign_scene": asked.need("sign_scene"),
    }


def transfer(asked: Asked, fault: Fault | None) -> Out:
    """Money out: certificates are demanded, and the payee's name is compared."""
    if not asked.certificates:
        raise Refused("isv.missing-app-cert-sn", "只支持公钥证书模式", code="40001")
    payee = asked.content.get("payee_info")
    if not isinstance(payee, dict):
        raise Refused("INVALID_PARAMETER", "参数有误：payee_info")
    if asked.need("product_code") != "TRANS_ACCOUNT_NO_PWD":
        raise Refused("INVALID_PARAMETER", "参数有误：product_code")
    named = {name: str(payee.get(name, "")) for name in ("identity", "identity_type", "name")}
    number, amount_fen = asked.number("out_biz_no"), asked.fen("trans_amount")
    row = transfers.transfer_make(
        asked.merchant,
        transfers.Payout(
            out_biz_no=number,
            amount_fen=amount_fen,
            title=asked.text("order_title"),
            fingerprint=asked.fingerprint(number, amount_fen, named),
            **named,
        ),
        fault,
    )
    if row.status == row.Status.FAIL:
        raise Refused(row.error_code, "收款账户状态异常")
    return transfer_json(row)


def transfer_query(asked: Asked, _fault: Fault | None) -> Out:
    row = transfers.transfer_look(asked.merchant, asked.number("out_biz_no"))
    return transfer_state_json(row)
