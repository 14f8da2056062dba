"""How trades, refunds, agreements and transfers are shown to their merchant."""

from __future__ import annotations

from typing import Any

from sandbox.alipay.letters import logon_shown
from sandbox.alipay.models import Contract, Refund, Trade, Transfer
from sandbox.alipay.numbers import moment, yuan


def trade_json(trade: Trade) -> dict[str, Any]:
    out: dict[str, Any] = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "trade_status": trade.state,
        "total_amount": yuan(trade.total_fen),
        "subject": trade.subject,
    }
    if trade.wallet:
        out |= {
            "buyer_user_id": trade.wallet.user_id,
            "buyer_logon_id": logon_shown(trade.wallet.logon_id),
        }
    if trade.paid_at:
        paid = yuan(trade.total_fen)
        out |= {
            "send_pay_date": moment(trade.paid_at),
            "receipt_amount": paid,
            "buyer_pay_amount": paid,
            "invoice_amount": paid,
            "point_amount": "0.00",
            "fund_bill_list": [{"amount": paid, "fund_channel": "ALIPAYACCOUNT"}],
        }
    return out


def paid_json(trade: Trade) -> dict[str, Any]:
    """The reply to a payment: the trade without its state, which only a query tells."""
    out = trade_json(trade)
    out["gmt_payment"] = out.pop("send_pay_date", "")
    del out["trade_status"], out["subject"]
    return {name: value for name, value in out.items() if value != ""}


def refund_json(refund: Refund) -> dict[str, Any]:
    """The reply to a refund: `refund_fee` is the sum of all that went back."""
    trade = refund.trade
    out: dict[str, Any] = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "refund_fee": yuan(trade.refunded_fen),
    }
    if trade.wallet:
        out |= {
            "buyer_user_id": trade.wallet.user_id,
            "buyer_logon_id": logon_shown(trade.wallet.logon_id),
        }
    if refund.ended_at:
        out["gmt_refund_pay"] = moment(refund.ended_at)
    return out


def refund_state_json(refund: Refund, options: list[str]) -> dict[str, Any]:
    trade = refund.trade
    out: dict[str, Any] = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": refund.out_request_no,
        "total_amount": yuan(trade.total_fen),
        "refund_amount": yuan(refund.amount_fen),
        "refund_status": refund.status,
    }
    if refund.ended_at and "gmt_refund_pay" in options:
        out["gmt_refund_pay"] = moment(refund.ended_at)
    if refund.deposit_back and "deposit_back_info" in options:
        out["deposit_back_info"] = {
            "has_deposit_back": "true",
            "dback_status": refund.deposit_back,
            "dback_amount": yuan(refund.amount_fen),
            "bank_ack_time": moment(refund.ended_at),
        }
    return out


def contract_json(contract: Contract) -> dict[str, Any]:
    wallet = contract.wallet
    return {
        "agreement_no": contract.agreement_no,
        "external_agreement_no": contract.external_agreement_no,
        "status": contract.state,
        "principal_id": wallet.user_id if wallet else "",
        "principal_type": "CARD",
        "alipay_logon_id": logon_shown(wallet.logon_id) if wallet else "",
        "personal_product_code": contract.plan.personal_product_code,
        "sign_scene": contract.plan.sign_scene,
        "sign_time": moment(contract.signed_at),
        "valid_time": moment(contract.signed_at),
        "invalid_time": moment(contract.expires_at),
        "single_quota": yuan(contract.plan.single_fen),
    }


def transfer_json(transfer: Transfer) -> dict[str, Any]:
    out: dict[str, Any] = {
        "out_biz_no": transfer.out_biz_no,
        "order_id": transfer.order_id,
        "pay_fund_order_id": transfer.order_id,
        "status": transfer.status,
    }
    if transfer.ended_at and transfer.status != Transfer.Status.FAIL:
        out["trans_date"] = moment(transfer.ended_at)
    return out


def transfer_state_json(transfer: Transfer) -> dict[str, Any]:
    out = transfer_json(transfer) | {"trans_amount": yuan(transfer.amount_fen)}
    if "trans_date" in out:
        out["pay_date"] = out.pop("trans_date")
    if transfer.error_code:
        out |= {"error_code": transfer.error_code, "fail_reason": "收款账户状态异常"}
    return out
