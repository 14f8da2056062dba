"""The v2 endpoints: agreements, deductions, their queries and refunds."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from sandbox.wechat_pay import contracts, deductions, orders, refunds
from sandbox.wechat_pay.crypto import fingerprint
from sandbox.wechat_pay.letters import V2_REFUND_STATUS
from sandbox.wechat_pay.models import Contract, Order, Refund
from sandbox.wechat_pay.numbers import moment, stamp
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.shown import state_text, trade_type
from sandbox.wechat_pay.v2_wire import Asked, Unread, asked_verify, v2_call
from sandbox.wechat_pay.v3_fields import OUT_REFUND_NO, OUT_TRADE_NO
from sandbox.world.faults import Fault
from sandbox.world.registry import SIGNED

Fields = dict[str, str]
STATE_NUMBER = {"SIGNED": "0", "TERMINATED": "1"}


def entrust_page(request: HttpRequest) -> HttpResponse:
    """The signing link a person opens; it leads to the page of the phone.

    `return_web` sends them back to the page they came from; the link names no address.
    """
    try:
        asked = asked_verify({name: str(value) for name, value in request.GET.items()})
        proposal = _proposal(asked)
        if asked.fields.get("return_web") == "1":
            proposal = replace(proposal, return_url=request.headers.get("Referer", ""))
        contract = contracts.contract_propose(asked.merchant, proposal)
    except (Unread, Refused) as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return HttpResponseRedirect(sign_page(contract))


def sign_page(contract: Contract) -> str:
    return f"{settings.SANDBOX_URL}/phone/wechat/sign/{contract.token}"


@v2_call("sign")
def h5_entrust(asked: Asked, _fault: Fault | None) -> Fields:
    """The signing link asked for by the server, for a page outside the app."""
    return {"redirect_url": sign_page(contracts.contract_propose(asked.merchant, _proposal(asked)))}


def _proposal(asked: Asked) -> contracts.Proposal:
    plan_id, contract_code = asked.need("plan_id", "contract_code")
    if not asked.fields.get("version") == "1.0":
        raise Refused(400, "PARAM_ERROR", "参数错误：version")
    return contracts.Proposal(
        plan_id=plan_id,
        contract_code=contract_code[:128],
        request_serial=asked.fields.get("request_serial", "")[:64],
        display_account=asked.fields.get("contract_display_account", "")[:128],
        notify_url=asked.notify_url(),
        return_url=asked.fields.get("return_url", ""),
        sign_type=asked.sign_type,
    )


@v2_call("query")
def query_contract(asked: Asked, _fault: Fault | None) -> Fields:
    with transaction.atomic():
        contract = contracts.contract_lock(asked.merchant, **_which_contract(asked))
    if contract.state not in STATE_NUMBER or contract.wallet is None:
        raise Refused(404, "CONTRACT_NOT_EXIST", "签约协议不存在")
    out = {
        "contract_id": contract.contract_id,
        "plan_id": contract.plan.plan_id,
        "request_serial": contract.request_serial,
        "contract_code": contract.contract_code,
        "contract_display_account": contract.display_account,
        "contract_state": STATE_NUMBER[contract.state],
        "contract_signed_time": moment(contract.signed_at),
        "contract_expired_time": moment(contract.expires_at),
        "openid": contract.wallet.openid,
    }
    if contract.terminated_at:
        out |= {
            "contract_terminated_time": moment(contract.terminated_at),
            "contract_termination_mode": str(contract.termination_mode),
            "contract_termination_remark": contract.termination_remark,
        }
    return out


def _which_contract(asked: Asked) -> dict[str, object]:
    if asked.fields.get("contract_id"):
        return {"contract_id": asked.fields["contract_id"]}
    plan_id, code = asked.need("plan_id", "contract_code")
    return {"plan__plan_id": plan_id, "contract_code": code}


@v2_call("unsign")
def delete_contract(asked: Asked, _fault: Fault | None) -> Fields:
    (remark,) = asked.need("contract_termination_remark")
    contract = contracts.contract_end(
        asked.merchant,
        mode=contracts.BY_MERCHANT,
        remark=remark[:256],
        **_which_contract(asked),
    )
    return {
        "contract_id": contract.contract_id,
        "plan_id": contract.plan.plan_id,
        "contract_code": contract.contract_code,
    }


@v2_call("capture", able=SIGNED | {"decline", "never_final"})
def pap_pay_apply(asked: Asked, fault: Fault | None) -> Fields:
    body, number, contract_id, _ = asked.need("body", "out_trade_no", "contract_id", "notify_url")
    if not OUT_TRADE_NO.fullmatch(number):
        raise Refused(400, "PARAM_ERROR", "参数错误：out_trade_no")
    if asked.fields.get("trade_type", "PAP") != "PAP":
        raise Refused(400, "PARAM_ERROR", "参数错误：trade_type")
    total = asked.fen("total_fee")
    wanted = orders.Wanted(
        out_trade_no=number,
        product="papay",
        description=body[:127],
        total_fen=total,
        fingerprint=fingerprint(["papay", number, contract_id, total]),
        attach=asked.fields.get("attach", "")[:128],
        notify_url=asked.notify_url(),
        sign_type=asked.sign_type,
    )
    deductions.deduction_apply(asked.merchant, wanted, contract_id, fault)
    return {}


@v2_call("query")
def pap_order_query(asked: Asked, _fault: Fault | None) -> Fields:
    order = _order_asked(asked)
    if order.product != "papay":
        raise Refused(404, "ORDER_NOT_EXIST", "此交易订单号不存在")
    return _order_fields(order)


@v2_call("query")
def order_query(asked: Asked, _fault: Fault | None) -> Fields:
    return _order_fields(_order_asked(asked))


def _order_asked(asked: Asked) -> Order:
    number, own = asked.fields.get("out_trade_no", ""), asked.fields.get("transaction_id", "")
    if not (number or own):
        asked.need("out_trade_no")
    with transaction.atomic():
        return orders.order_lock(asked.merchant, out_trade_no=number, transaction_id=own)


def _order_fields(order: Order) -> Fields:
    out = {
        "out_trade_no": order.out_trade_no,
        "trade_type": trade_type(order),
        "trade_state": order.state,
        "trade_state_desc": state_text(order),
        "total_fee": str(order.total_fen),
        "fee_type": "CNY",
        "attach": order.attach,
        "contract_id": order.contract.contract_id if order.contract else "",
    }
    if order.error:
        out |= {"err_code": order.error, "err_code_des": order.error_text}
    if order.paid_at and order.wallet:
        out |= {
            "openid": order.wallet.openid,
            "is_subscribe": "N",
            "bank_type": "OTHERS",
            "cash_fee": str(order.total_fen),
            "transaction_id": order.transaction_id,
            "time_end": stamp(order.paid_at),
        }
    return out


@v2_call("close")
def close_order(asked: Asked, fault: Fault | None) -> Fields:
    (number,) = asked.need("out_trade_no")
    with transaction.atomic():
        known = orders.order_lock(asked.merchant, out_trade_no=number)
        if known.state == Order.State.CLOSED:
            raise Refused(400, "ORDER_CLOSED", "订单已关闭")
        orders.order_close(asked.merchant, number, fault)
    return {}


@v2_call("refund", mutual=True)
def refund(asked: Asked, fault: Fault | None) -> Fields:
    (number,) = asked.need("out_refund_no")
    if not OUT_REFUND_NO.fullmatch(number):
        raise Refused(400, "PARAM_ERROR", "参数错误：out_refund_no")
    out_trade_no = asked.fields.get("out_trade_no", "")
    transaction_id = asked.fields.get("transaction_id", "")
    if not (out_trade_no or transaction_id):
        asked.need("transaction_id")
    total, amount = asked.fen("total_fee"), asked.fen("refund_fee")
    wanted = refunds.Return(
        out_refund_no=number,
        amount_fen=amount,
        total_fen=total,
        protocol="v2",
        fingerprint=fingerprint([out_trade_no, transaction_id, total, amount]),
        out_trade_no=out_trade_no,
        transaction_id=transaction_id,
        reason=asked.fields.get("refund_desc", "")[:80],
        notify_url=asked.notify_url(),
    )
    row, _ = refunds.refund_apply(asked.merchant, wanted, fault)
    return {
        "transaction_id": row.order.transaction_id,
        "out_trade_no": row.order.out_trade_no,
        "out_refund_no": row.out_refund_no,
        "refund_id": row.refund_id,
        "refund_fee": str(row.amount_fen),
        "total_fee": str(row.order.total_fen),
        "cash_fee": str(row.order.total_fen),
        "cash_refund_fee": str(row.amount_fen),
    }


@v2_call("refund_query")
def refund_query(asked: Asked, _fault: Fault | None) -> Fields:
    rows = Refund.objects.filter(merchant=asked.merchant).select_related("order")
    names = {
        "refund_id": "refund_id",
        "out_refund_no": "out_refund_no",
        "transaction_id": "order__transaction_id",
        "out_trade_no": "order__out_trade_no",
    }
    # The vendor's order of precedence, when several are given.
    given = next((name for name in names if asked.fields.get(name)), None)
    if given is None:
        asked.need("out_refund_no")
        return {}
    found = list(rows.filter(**{names[given]: asked.fields[given]}).order_by("created_at", "id"))
    if not found:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "退款订单查询失败")
    order = found[0].order
    out = {
        "transaction_id": order.transaction_id,
        "out_trade_no": order.out_trade_no,
        "total_fee": str(order.total_fen),
        "cash_fee": str(order.total_fen),
        "refund_count": str(len(found)),
        "refund_fee": str(sum(row.amount_fen for row in found)),
    }
    for n, row in enumerate(found):
        out |= {
            f"out_refund_no_{n}": row.out_refund_no,
            f"refund_id_{n}": row.refund_id,
            f"refund_channel_{n}": "ORIGINAL",
            f"refund_fee_{n}": str(row.amount_fen),
            f"refund_status_{n}": V2_REFUND_STATUS[row.status],
            f"refund_account_{n}": "REFUND_SOURCE_RECHARGE_FUNDS",
            f"refund_recv_accout_{n}": "支付用户零钱",
            f"refund_success_time_{n}": moment(row.ended_at) if row.status == "SUCCESS" else "",
        }
    return out


urlpatterns = [
    path("papay/entrustweb", entrust_page),
    path("papay/h5entrustweb", h5_entrust),
    path("papay/querycontract", query_contract),
    path("papay/deletecontract", delete_contract),
    path("pay/pappayapply", pap_pay_apply),
    path("pay/paporderquery", pap_order_query),
    path("pay/orderquery", order_query),
    path("pay/closeorder", close_order),
    path("pay/refundquery", refund_query),
    path("secapi/pay/refund", refund),
]
