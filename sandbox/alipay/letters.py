"""The notices to merchants: forms signed over every field but sign and sign_type."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from sandbox.alipay.models import Contract, Merchant, Refund, Trade
from sandbox.alipay.numbers import moment, notify_number, yuan
from sandbox.alipay.rsa2 import form_sign, stranger_key, vendor_key
from sandbox.world import clock
from sandbox.world.notices import Letter, notice_queue

FORM = "application/x-www-form-urlencoded; charset=utf-8"
# 4 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h: eight tries in a little over 24 hours.
CADENCE_S = (240, 600, 600, 3600, 7200, 21600, 54000)
DEPOSIT_BACK = "alipay.trade.refund.depositback.completed"


def trade_notify(trade: Trade, *, refund: Refund | None = None, delay_s: float = 0.0) -> None:
    """Tell the merchant of a payment, or of a refund of it, which bears the refund's number."""
    fields = {
        "notify_type": "trade_status_sync",
        "seller_id": trade.merchant.pid,
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "trade_status": trade.state,
        "subject": trade.subject,
        "total_amount": yuan(trade.total_fen),
        "buyer_id": trade.wallet.user_id if trade.wallet else "",
        "gmt_create": moment(trade.created_at),
        "gmt_payment": moment(trade.paid_at),
    }
    if trade.paid_at:
        fields |= {
            "receipt_amount": yuan(trade.total_fen),
            "invoice_amount": yuan(trade.total_fen),
            "buyer_pay_amount": yuan(trade.total_fen),
            "point_amount": "0.00",
            "fund_bill_list": json.dumps(
                [{"amount": yuan(trade.total_fen), "fundChannel": "ALIPAYACCOUNT"}]
            ),
        }
    if trade.refunded_fen:
        fields |= {"refund_fee": yuan(trade.refunded_fen), "gmt_refund": moment(clock.now())}
    if refund is not None:
        fields["out_biz_no"] = refund.out_request_no
    if trade.state == Trade.State.TRADE_CLOSED:
        fields["gmt_close"] = moment(trade.ended_at)
    _queue(
        trade.merchant,
        operation="refund" if refund is not None else "capture",
        event=f"trade {trade.state}",
        number=refund.out_request_no if refund is not None else trade.out_trade_no,
        url=trade.notify_url,
        fields=fields,
        wrong={"total_amount": yuan(trade.total_fen + 1)},
        delay_s=delay_s,
    )


def contract_notify(contract: Contract, change: str) -> None:
    """Tell the merchant of a signing or an unsigning; a refusal is not told."""
    signed = change == "dut_user_sign"
    wallet = contract.wallet
    fields = {
        "notify_type": change,
        "agreement_no": contract.agreement_no,
        "external_agreement_no": contract.external_agreement_no,
        "personal_product_code": contract.plan.personal_product_code,
        "sign_scene": contract.plan.sign_scene,
        "status": "NORMAL" if signed else "UNSIGN",
        "alipay_user_id": wallet.user_id if wallet else "",
        "alipay_logon_id": logon_shown(wallet.logon_id) if wallet else "",
    }
    if signed:
        fields |= {
            "sign_time": moment(contract.signed_at),
            "valid_time": moment(contract.signed_at),
            "invalid_time": moment(contract.expires_at),
        }
    else:
        fields["unsign_time"] = moment(contract.ended_at)
    _queue(
        contract.merchant,
        operation="sign" if signed else "unsign",
        event=change,
        number=contract.external_agreement_no,
        url=contract.notify_url,
        fields=fields,
        wrong={},
    )


def deposit_back_notify(refund: Refund) -> None:
    """A message of another form: the payer's bank took the money of a refund, or sent it back."""
    trade = refund.trade
    content = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": refund.out_request_no,
        "dback_status": refund.deposit_back,
        "dback_amount": yuan(refund.amount_fen),
        "bank_ack_time": moment(refund.ended_at),
    }
    _queue(
        trade.merchant,
        operation="refund",
        event=DEPOSIT_BACK[:64],
        number=refund.out_request_no,
        url=trade.notify_url,
        fields={
            "msg_method": DEPOSIT_BACK,
            "utc_timestamp": str(int(clock.now().timestamp() * 1000)),
            "biz_content": json.dumps(content),
        },
        wrong={},
        delay_s=1.5,
    )


def logon_shown(logon_id: str) -> str:
    """156******06, as the vendor masks it everywhere."""
    return f"{logon_id[:3]}******{logon_id[-2:]}" if logon_id else ""


def _queue(
    merchant: Merchant,
    *,
    operation: str,
    event: str,
    number: str,
    url: str,
    fields: dict[str, str],
    wrong: dict[str, str],
    delay_s: float = 0.0,
) -> None:
    full = {
        "notify_id": notify_number(),
        "charset": "utf-8",
        "version": "1.0",
        "app_id": merchant.app_id,
        "auth_app_id": merchant.app_id,
        **({} if "msg_method" in fields else {"notify_time": moment(clock.now())}),
        **{name: value for name, value in fields.items() if value},
    }

    def body(signed: dict[str, str], key: str) -> bytes:
        return urlencode({**signed, "sign_type": "RSA2", "sign": form_sign(signed, key)}).encode()

    notice_queue(
        Letter(
            counterparty="alipay",
            operation=operation,
            sender=merchant.pid,
            event=event,
            number=number,
            url=url,
            content_type=FORM,
            body=body(full, vendor_key()),
            wrong_body=body(full | wrong, vendor_key()),
            spoilt_body=body(full, stranger_key()),
            expects="success",
            delay_s=delay_s,
            cadence=CADENCE_S,
        )
    )
