"""The actions of `POST /_control/act`: actor `payer` (a person) and actor `wechat_pay`."""

from __future__ import annotations

import secrets

from sandbox.wechat_pay import contracts, med_ins, payer, refunds
from sandbox.wechat_pay.models import Contract, Order, Wallet
from sandbox.wechat_pay.models import Refund as RefundRow
from sandbox.wechat_pay.refusal import Refused
from sandbox.world.acting import Args, balance_of, fen_of, plainly, rules_set
from sandbox.world.registry import Action, BadCall

_plain = plainly(Refused)


def _wallet_json(wallet: Wallet) -> Args:
    return {
        "openid": wallet.openid,
        "name": wallet.name,
        "phone": wallet.phone,
        "balance_fen": wallet.balance_fen,
        "free_fen": wallet.free_fen,
    }


def _order_json(order: Order) -> Args:
    return {
        "out_trade_no": order.out_trade_no,
        "token": order.token,
        "description": order.description,
        "amount_fen": order.total_fen,
        "status": order.state,
    }


def _contract_json(contract: Contract) -> Args:
    return {
        "contract_id": contract.contract_id,
        "contract_code": contract.contract_code,
        "mchid": contract.merchant.mchid,
        "plan_id": contract.plan.plan_id,
        "openid": contract.wallet.openid if contract.wallet else "",
        "status": contract.state,
    }


def create_wallet(subject: str, args: Args) -> Args:
    openid = subject or args.get("openid") or f"o{secrets.token_hex(13)}"
    wallet = payer.wallet_set(
        str(openid),
        name=str(args.get("name", "")),
        phone=str(args.get("phone", "")),
        balance_fen=fen_of(args, "balance_fen", 0),
        free_fen=fen_of(args, "free_fen", 100_000),
    )
    return _wallet_json(wallet)


def set_balance(subject: str, args: Args) -> Args:
    payer.wallet_of(subject)
    return _wallet_json(payer.wallet_set(subject, **balance_of(args)))


def show_wallet(subject: str, _args: Args) -> Args:
    waiting = [_order_json(order) for order in payer.waiting_of(subject)]
    rows = Contract.objects.filter(wallet__openid=subject).select_related(
        "merchant", "plan", "wallet"
    )
    agreements = [_contract_json(row) for row in rows.order_by("id")]
    return _wallet_json(payer.wallet_of(subject)) | {"waiting": waiting, "contracts": agreements}


def show_code(subject: str, _args: Args) -> Args:
    code = payer.code_show(subject)
    return {"auth_code": code.code, "expires_at": code.expires_at.isoformat()}


def open_pay_link(subject: str, args: Args) -> Args:
    return _order_json(payer.link_open(subject, str(args.get("link", ""))))


def confirm(subject: str, args: Args) -> Args:
    order = _wanted(subject, args)
    return _order_json(med_ins.order_confirm(subject, order.token))


def confirm_mixed(subject: str, args: Args) -> Args:
    """One password for the insurance part and the cash part of a mixed order."""
    return med_ins.mixed_confirm(subject, str(args.get("mix_trade_no", "")))


def refuse(subject: str, args: Args) -> Args:
    order = _wanted(subject, args)
    return _order_json(payer.order_refuse(subject, order.token))


def _wanted(openid: str, args: Args) -> Order:
    """The order meant: opened by its link first, where a link is given."""
    if args.get("link"):
        return payer.link_open(openid, str(args["link"]))
    return payer.order_waiting(openid, str(args.get("out_trade_no", "")))


def sign(subject: str, args: Args) -> Args:
    """Sign the agreement of an opened link, or make one from its terms and sign it."""
    openid = subject or str(args.get("openid", ""))
    if args.get("link"):
        contract = payer.contract_by_token(payer.link_token(str(args["link"])))
    else:
        contract = contracts.contract_propose(
            payer.merchant_of(str(args.get("mchid", ""))),
            contracts.Proposal(
                plan_id=str(args.get("plan_id", "")),
                contract_code=str(args.get("contract_code", "")),
                request_serial=str(args.get("request_serial", "")),
                display_account=str(args.get("display_account", "")),
                notify_url=str(args.get("notify_url", "")),
            ),
        )
    signed = contracts.contract_sign(contract.pk, openid)
    return _contract_json(signed)


def refuse_sign(_subject: str, args: Args) -> Args:
    contract = payer.contract_by_token(payer.link_token(str(args.get("link", ""))))
    contracts.contract_refuse(contract.pk)
    return {"contract_code": contract.contract_code, "status": "REFUSED"}


def unsign(subject: str, args: Args) -> Args:
    return _contract_json(payer.contract_unsign(subject, str(args.get("contract_id", ""))))


def finish_refund(subject: str, args: Args) -> Args:
    fate = str(args.get("status", "SUCCESS"))
    if fate not in ("SUCCESS", "CLOSED", "ABNORMAL", "RETURNED"):
        raise BadCall("status is SUCCESS, CLOSED, ABNORMAL or RETURNED")
    rows = RefundRow.objects.filter(out_refund_no=subject, merchant__mchid=args.get("mchid"))
    row = rows.first()
    if row is None:
        raise BadCall(f"no refund {subject!r} of that merchant")
    return {"out_refund_no": subject, "status": refunds.refund_settle(row.pk, fate).status}


MERCHANT_RULES = ("refund_window_days", "refund_spacing_s", "reverse_after_s")


def set_rules(subject: str, args: Args) -> Args:
    return rules_set(payer.merchant_of(subject), MERCHANT_RULES, args)


_WHICH = {"out_trade_no": "whose password it is (default: the newest)", "link": "open it first"}
PAYER: dict[str, Action] = {
    "create_wallet": Action(
        _plain(create_wallet),
        "openid (empty: a new one)",
        {
            "openid": "instead of the subject",
            "name": "shown name",
            "phone": "phone number",
            "balance_fen": "fen in the wallet",
            "free_fen": "scans above it want the password",
        },
    ),
    "set_balance": Action(
        _plain(set_balance), "openid", {"balance_fen": "fen", "free_fen": "fen, optional"}
    ),
    "show_wallet": Action(_plain(show_wallet), "openid"),
    "show_code": Action(_plain(show_code), "openid"),
    "open_pay_link": Action(
        _plain(open_pay_link), "openid", {"link": "code_url, h5_url or prepay_id"}
    ),
    "confirm": Action(_plain(confirm), "openid", _WHICH),
    "confirm_mixed": Action(
        _plain(confirm_mixed), "openid", {"mix_trade_no": "which one (default: the newest)"}
    ),
    "refuse": Action(_plain(refuse), "openid", _WHICH),
    "sign": Action(
        _plain(sign),
        "openid",
        {
            "link": "the signing link, or the terms:",
            "openid": "instead of the subject",
            "mchid": "merchant",
            "plan_id": "template",
            "contract_code": "the merchant's number",
            "request_serial": "serial of the request",
            "display_account": "name shown on the phone",
            "notify_url": "where the merchant hears of it",
        },
    ),
    "refuse_sign": Action(_plain(refuse_sign), "openid", {"link": "the signing link"}),
    "unsign": Action(_plain(unsign), "openid", {"contract_id": "the vendor's number"}),
}
VENDOR: dict[str, Action] = {
    "finish_refund": Action(
        _plain(finish_refund),
        "out_refund_no of a refund still PROCESSING",
        {"mchid": "merchant", "status": "SUCCESS, CLOSED, ABNORMAL or RETURNED"},
    ),
    "set_rules": Action(_plain(set_rules), "mchid", dict.fromkeys(MERCHANT_RULES, "whole number")),
}
