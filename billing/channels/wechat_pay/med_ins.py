"""Orders of insurance and wallet together (医保自费混合, `/v3/med-ins/…`).

The cash part is an ordinary jsapi order of the same number; its money is that order's word and no
other. The mixed order around it says what becomes of the insurance part. Its two equations and
every figure are compared with ours in every answer: one fen of difference is a MISMATCH, which
moves nothing and calls a person.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP

from billing.channels import answers
from billing.channels.base import (
    MISMATCH,
    Action,
    CaptureOrder,
    ChannelAnswer,
    InsurancePart,
    MerchantAccount,
    Mode,
    NoticeKind,
    Operation,
    OrderReference,
)
from billing.channels.strict_json import text_get
from core.outcomes import Outcome

from . import v3_order_states, v3_orders, verdicts
from .account import notify_url, platform_keys, secret_get
from .med_ins_figures import INSURANCE_STATES, equation_broken, mixed_differs, mixed_fees
from .v3_client import V3Reply, v3_call

ORDERS = "/v3/med-ins/orders"
REFUNDS = "/v3/med-ins/refunds/notify"
CASH_AND_INSURANCE, DIAGNOSIS = "CASH_AND_INSURANCE", "DIAG_PAY"
# Of this product alone: what it refuses for good, and that it knows no such order.
REFUSED = frozenset({"APPID_MCHID_NOT_MATCH", "INVALID_REQUEST", "PARAM_ERROR", "RULE_LIMIT"})
NOT_FOUND = frozenset({"NOT_FOUND", "ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"})


def capture(order: CaptureOrder) -> ChannelAnswer:
    """The jsapi order, then the mixed one; the payer is handed what the wallet is asked with only
    when both are there and add up."""
    part = order.insurance
    if part is None:
        raise ValueError("a mixed order names its insurance part")
    broken = equation_broken(part, order.amount_fen)
    if broken:
        return answers.refused(MISMATCH, broken, executed=False)
    prepaid = v3_orders.jsapi(order)
    if prepaid.action is None:
        return prepaid
    request = json.loads(prepaid.action.value)
    made = _create(order, part, str(request["package"]).removeprefix("prepay_id="))
    if isinstance(made, ChannelAnswer):
        return _given_up(order, made) if made.outcome is Outcome.DECLINED else made
    value = json.dumps(request | {"mixTradeNo": made})
    action = Action(prepaid.action.type, value, prepaid.action.expires_at)
    return replace(prepaid, action=action)


def query(order: OrderReference) -> ChannelAnswer:
    """The cash, as its own order says, once the mixed order around it adds up."""
    cash = v3_order_states.order_query(order)
    if cash.outcome is not Outcome.SUCCEEDED:
        return cash
    around = insurance_query(order)
    return around if around.code == MISMATCH else cash


def insurance_query(order: OrderReference) -> ChannelAnswer:
    """What the mixed order says of its insurance part; `channel_no` is its mix_trade_no."""
    reply = _ask(order.merchant, order.number)
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        unheard = answers.not_found if reply.code in NOT_FOUND else answers.unknown
        return unheard(reply.code, reply.message)
    part = order.insurance
    if part is None:
        raise ValueError("a mixed order names its insurance part")
    field = mixed_differs(reply.data, part, order)
    if field:
        return answers.mismatch(field)
    state = text_get(reply.data, "med_ins_pay_status")
    outcome = INSURANCE_STATES.get(state, Outcome.UNKNOWN)
    return ChannelAnswer(
        outcome,
        code=state or "NO_STATE",
        message=text_get(reply.data, "med_ins_fail_reason")[:256],
        channel_no=text_get(reply.data, "mix_trade_no"),
        executed=True,
    )


def insurance_returned(order: OrderReference, *, refund_no: str, at: datetime) -> ChannelAnswer:
    """Tell the channel that the bureau has given the insurance part back; safe to say twice."""
    found = insurance_query(order)
    part = order.insurance
    assert part is not None
    if not found.channel_no:
        return found
    reply = v3_call(
        order.merchant,
        operation=Operation.REFUND,
        reference=refund_no,
        method="POST",
        target=f"{REFUNDS}?mix_trade_no={quote(found.channel_no, safe='')}",
        data={
            "med_refund_total_fee": part.fund_fen + part.account_fen,
            "med_refund_gov_fee": part.fund_fen,
            "med_refund_self_fee": part.account_fen,
            "med_refund_other_fee": 0,
            "refund_time": _rfc3339(at),
            "out_refund_no": refund_no,
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.accepted:
        return ChannelAnswer(Outcome.SUCCEEDED, channel_no=found.channel_no, executed=True)
    return verdicts.refund_refusal(reply.code, reply.message)


def _create(order: CaptureOrder, part: InsurancePart, prepay_id: str) -> str | ChannelAnswer:
    """The mix_trade_no, or why there is none. No answer: asked for by our number, and said once
    more only when the channel does not know it."""
    reply = _send(order, part, prepay_id)
    if isinstance(reply, V3Reply) and (reply.accepted or reply.code in REFUSED):
        return _made(order, reply)
    found = _ask(order.merchant, order.number)
    if isinstance(found, V3Reply) and found.code in NOT_FOUND:
        found = _send(order, part, prepay_id)
    if isinstance(found, ChannelAnswer):
        return answers.unknown(found.code, found.message)
    return _made(order, found)


def _made(order: CaptureOrder, reply: V3Reply) -> str | ChannelAnswer:
    if not reply.accepted:
        said = answers.refused if reply.code in REFUSED else answers.unknown
        return said(reply.code, reply.message)
    part = order.insurance
    assert part is not None
    number = text_get(reply.data, "mix_trade_no")
    field = mixed_differs(reply.data, part, _reference(order)) or ("" if number else "mix_trade_no")
    return answers.mismatch(field) if field else number


def _given_up(order: CaptureOrder, refused: ChannelAnswer) -> ChannelAnswer:
    """Nobody was handed the cash order: it is closed, and the way is declined."""
    closed = v3_order_states.order_close(_reference(order))
    return refused if closed.closed else closed


def _send(order: CaptureOrder, part: InsurancePart, prepay_id: str) -> V3Reply | ChannelAnswer:
    account = order.merchant
    return v3_call(
        account,
        operation=Operation.CAPTURE,
        reference=order.number,
        method="POST",
        target=ORDERS,
        data={
            "mix_pay_type": CASH_AND_INSURANCE,
            "order_type": DIAGNOSIS,
            "appid": account.app_id,
            "openid": order.payer_subject,
            **_people(account, part),
            "out_trade_no": order.number,
            "serial_no": part.serial_no,
            "pay_order_id": part.pay_order_no,
            "pay_auth_no": part.pay_auth_no,
            "geo_location": part.location,
            "city_id": part.city,
            "med_inst_name": part.institution_name,
            "med_inst_no": part.institution_code,
            "med_ins_order_create_time": _rfc3339(order.created_at),
            **mixed_fees(part, order.amount_fen),
            "callback_url": notify_url(account, NoticeKind.MIXED),
            "prepay_id": prepay_id,
        },
    )


def _people(account: MerchantAccount, part: InsurancePart) -> dict[str, object]:
    """Who pays and, where that is a guardian, for whom."""
    payer = {"payer": _named(account, part.payer_name, part.payer_id_number)}
    if not part.relative_name:
        return {**payer}
    relative = _named(account, part.relative_name, part.relative_id_number)
    return {**payer, "pay_for_relatives": True, "relative": relative}


def _named(account: MerchantAccount, name: str, number: str) -> dict[str, str]:
    return {
        "name": _sealed(account, name),
        "id_digest": _sealed(account, id_digest(number)),
        "card_type": "ID_CARD",
    }


def _ask(account: MerchantAccount, number: str) -> V3Reply | ChannelAnswer:
    return v3_call(
        account,
        operation=Operation.QUERY,
        reference=number,
        method="GET",
        target=f"{ORDERS}/out-trade-no/{quote(number, safe='')}",
    )


def id_digest(number: str) -> str:
    """MD5 of the 18-character number with its letter upper-cased, in lower hex: theirs."""
    return hashlib.md5(number.upper().encode(), usedforsecurity=False).hexdigest()


def _sealed(account: MerchantAccount, text: str) -> str:
    """RSAES-OAEP with SHA-1 under the channel's public key, which `Wechatpay-Serial` names."""
    key = platform_keys(account)[secret_get(account, "platform_public_key_id")]
    scheme = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    return base64.b64encode(key.encrypt(text.encode(), scheme)).decode()


def _reference(order: CaptureOrder) -> OrderReference:
    return OrderReference(
        order.merchant, order.number, Mode.MIXED, order.amount_fen, insurance=order.insurance
    )


def _rfc3339(at: datetime) -> str:
    return at.astimezone(verdicts.BEIJING).isoformat(timespec="seconds")
