"""The notices to merchants: v3 sealed JSON, v2 signed XML."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sandbox.wechat_pay import crypto
from sandbox.wechat_pay.models import Contract, Merchant, Order, Refund
from sandbox.wechat_pay.numbers import moment, rfc3339, stamp
from sandbox.wechat_pay.shown import order_json
from sandbox.wechat_pay.v2_xml import xml_write
from sandbox.world import clock
from sandbox.world.notices import Letter, notice_queue

JSON = "application/json; charset=utf-8"
XML = "text/xml; charset=utf-8"
V2_REFUND_STATUS = {
    "SUCCESS": "SUCCESS",
    "ABNORMAL": "CHANGE",
    "CLOSED": "REFUNDCLOSE",
    "PROCESSING": "PROCESSING",
}


def order_notify(order: Order, *, delay_s: float = 0.0) -> None:
    """Tell the merchant what became of an order; scanned payments have no notice at all."""
    if order.product == "codepay":
        return
    if order.product == "papay":
        _queue_v2(
            order.merchant,
            operation="capture",
            event="PAP.SUCCESS" if order.state == Order.State.SUCCESS else "PAP.FAIL",
            number=order.out_trade_no,
            url=order.notify_url,
            fields=_deduction(order),
            sign_type=order.sign_type,
            delay_s=delay_s,
        )
        return
    _queue_v3(
        order.merchant,
        operation="capture",
        event="TRANSACTION.SUCCESS",
        summary="支付成功",
        number=order.out_trade_no,
        url=order.notify_url,
        kind="transaction",
        plain=order_json(order),
        delay_s=delay_s,
    )


def _deduction(order: Order) -> dict[str, str]:
    contract = order.contract
    fields = {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS" if order.paid_at else "FAIL",
        "appid": order.appid,
        "contract_id": contract.contract_id if contract else "",
        "out_trade_no": order.out_trade_no,
        "attach": order.attach,
        "total_fee": str(order.total_fen),
        "fee_type": "CNY",
        "trade_type": "PAP",
        "trade_state": order.state,
    }
    if order.paid_at and order.wallet:
        return fields | {
            "openid": order.wallet.openid,
            "is_subscribe": "N",
            "bank_type": "OTHERS",
            "cash_fee": str(order.total_fen),
            "transaction_id": order.transaction_id,
            "time_end": stamp(order.paid_at),
        }
    return fields | {"err_code": order.error, "err_code_des": order.error_text}


def contract_notify(contract: Contract, change: str) -> None:
    """Tell the merchant of a signing (ADD) or an ending (DELETE); a refusal is not told."""
    wallet = contract.wallet
    fields = {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS",
        "contract_code": contract.contract_code,
        "plan_id": contract.plan.plan_id,
        "openid": wallet.openid if wallet else "",
        "change_type": change,
        "operate_time": moment(contract.signed_at if change == "ADD" else contract.terminated_at),
        "contract_id": contract.contract_id,
        "request_serial": contract.request_serial,
    }
    if change == "ADD":
        fields["contract_expired_time"] = moment(contract.expires_at)
    else:
        fields["contract_termination_mode"] = str(contract.termination_mode)
    _queue_v2(
        contract.merchant,
        operation="sign" if change == "ADD" else "unsign",
        event=f"CONTRACT.{change}",
        number=contract.contract_code[:64],
        url=contract.notify_url,
        fields=fields,
        sign_type=contract.sign_type,
    )


def refund_notify(refund: Refund, status: str, *, delay_s: float = 0.0) -> None:
    """Tell the merchant how a refund ended, in the protocol it was asked in."""
    if refund.protocol == "v2":
        _refund_notify_v2(refund, status, delay_s)
        return
    order = refund.order
    plain: dict[str, Any] = {
        "mchid": refund.merchant.mchid,
        "out_trade_no": order.out_trade_no,
        "transaction_id": order.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": status,
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": order.total_fen,
            "refund": refund.amount_fen,
            "payer_total": order.total_fen,
            "payer_refund": refund.amount_fen,
        },
    }
    if status == "SUCCESS":
        plain["success_time"] = rfc3339(refund.ended_at)
    texts = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}
    _queue_v3(
        refund.merchant,
        operation="refund",
        event=f"REFUND.{status}",
        summary=texts[status],
        number=refund.out_refund_no,
        url=refund.notify_url,
        kind="refund",
        plain=plain,
        delay_s=delay_s,
    )


def _refund_notify_v2(refund: Refund, status: str, delay_s: float) -> None:
    order, merchant = refund.order, refund.merchant

    def body(amount_fen: int, key: str) -> bytes:
        info = {
            "transaction_id": order.transaction_id,
            "out_trade_no": order.out_trade_no,
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "total_fee": str(order.total_fen),
            "settlement_total_fee": str(order.total_fen),
            "refund_fee": str(amount_fen),
            "settlement_refund_fee": str(amount_fen),
            "refund_status": V2_REFUND_STATUS[status],
            "success_time": moment(refund.ended_at) if status == "SUCCESS" else "",
            "refund_recv_accout": "支付用户零钱",
            "refund_account": "REFUND_SOURCE_RECHARGE_FUNDS",
            "refund_request_source": "API",
        }
        outer = {
            "return_code": "SUCCESS",
            "appid": order.appid,
            "mch_id": merchant.mchid,
            "nonce_str": secrets.token_hex(16),
            "req_info": crypto.req_info_seal(xml_write(info, root="root").decode(), key),
        }
        return xml_write(outer)

    notice_queue(
        Letter(
            counterparty="wechat_pay",
            operation="refund",
            sender=merchant.mchid,
            event=f"REFUND.{status}",
            number=refund.out_refund_no,
            url=refund.notify_url,
            content_type=XML,
            body=body(refund.amount_fen, merchant.api_v2_key),
            wrong_body=body(refund.amount_fen + 1, merchant.api_v2_key),
            # This notice bears no sign: a foreign key is the only way to spoil it.
            spoilt_body=body(refund.amount_fen, secrets.token_hex(16)),
            expects="SUCCESS",
            delay_s=delay_s,
        )
    )


def _queue_v3(
    merchant: Merchant,
    *,
    operation: str,
    event: str,
    summary: str,
    number: str,
    url: str,
    kind: str,
    plain: dict[str, Any],
    delay_s: float = 0.0,
) -> None:
    notice_id = secrets.token_hex(18)
    amount_key = "total" if kind == "transaction" else "refund"
    wrong = plain | {"amount": plain["amount"] | {amount_key: plain["amount"][amount_key] + 1}}

    def body(resource: dict[str, Any]) -> bytes:
        out = {
            "id": notice_id,
            "create_time": rfc3339(clock.now()),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": crypto.resource_seal(merchant.api_v3_key, kind, resource),
        }
        return json.dumps(out, ensure_ascii=False).encode()

    notice_queue(
        Letter(
            counterparty="wechat_pay",
            operation=operation,
            sender=merchant.mchid,
            event=event,
            number=number,
            url=url,
            content_type=JSON,
            body=body(plain),
            wrong_body=body(wrong),
            delay_s=delay_s,
        )
    )


def _queue_v2(
    merchant: Merchant,
    *,
    operation: str,
    event: str,
    number: str,
    url: str,
    fields: dict[str, str],
    sign_type: str,
    delay_s: float = 0.0,
) -> None:
    full = fields | {"mch_id": merchant.mchid, "nonce_str": secrets.token_hex(16)}

    def body(signed: dict[str, str], key: str) -> bytes:
        return xml_write(signed | {"sign": crypto.v2_sign(signed, key, sign_type)})

    wrong = full | {"total_fee": str(int(full["total_fee"]) + 1)} if "total_fee" in full else full
    notice_queue(
        Letter(
            counterparty="wechat_pay",
            operation=operation,
            sender=merchant.mchid,
            event=event,
            number=number,
            url=url,
            content_type=XML,
            body=body(full, merchant.api_v2_key),
            wrong_body=body(wrong, merchant.api_v2_key),
            spoilt_body=body(full, secrets.token_hex(16)),
            expects="SUCCESS",
            delay_s=delay_s,
        )
    )
