"""The actions of `POST /_control/act`: actor `alipay_payer` (a person) and actor `alipay`."""

from __future__ import annotations

from sandbox.alipay import contracts, gateway, payer, refunds, transfers
from sandbox.alipay.models import Contract, Refund, Trade, Transfer, Wallet
from sandbox.alipay.numbers import user_number
from sandbox.alipay.refusal import Refused
from sandbox.alipay.wire import asked_verify
from sandbox.world.acting import Args, balance_of, fen_of, plainly, rules_set
from sandbox.world.registry import Action, BadCall

_plain = plainly(Refused)


def _wallet_json(wallet: Wallet) -> Args:
    names = ("user_id", "logon_id", "name", "phone", "balance_fen", "free_fen")
    return {name: getattr(wallet, name) for name in names}


def _trade_json(trade: Trade) -> Args:
    return {
        "out_trade_no": trade.out_trade_no,
        "token": trade.token,
        "subject": trade.subject,
        "amount_fen": trade.total_fen,
        "status": trade.state,
    }


def _contract_json(contract: Contract) -> Args:
    return {
        "agreement_no": contract.agreement_no,
        "external_agreement_no": contract.external_agreement_no,
        "pid": contract.merchant.pid,
        "sign_scene": contract.plan.sign_scene,
        "user_id": contract.wallet.user_id if contract.wallet else "",
        "status": contract.state,
    }


def create_wallet(subject: str, args: Args) -> Args:
    wallet = payer.wallet_set(
        subject or str(args.get("user_id") or user_number()),
        logon_id=str(args.get("logon_id") or args.get("phone", "")),
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
    waiting = [_trade_json(trade) for trade in payer.waiting_of(subject)]
    rows = Contract.objects.filter(wallet__user_id=subject).select_related(
        "merchant", "plan", "wallet"
    )
    agreements = [_contract_json(row) for row in rows.order_by("id")]
    return _wallet_json(payer.wallet_of(subject)) | {"waiting": waiting, "contracts": agreements}


def show_code(subject: str, _args: Args) -> Args:
    code = payer.code_show(subject)
    return {"auth_code": code.code, "expires_at": code.expires_at.isoformat()}


def open_pay_link(subject: str, args: Args) -> Args:
    return _trade_json(payer.link_open(subject, _link(args)))


def confirm(subject: str, args: Args) -> Args:
    return _trade_json(payer.trade_confirm(subject, _wanted(subject, args).token))


def refuse(subject: str, args: Args) -> Args:
    return _trade_json(payer.trade_refuse(subject, _wanted(subject, args).token))


def _wanted(user_id: str, args: Args) -> Trade:
    """The trade meant: opened by its link first, where a link is given."""
    if args.get("link"):
        return payer.link_open(user_id, _link(args))
    return payer.trade_waiting(user_id, str(args.get("out_trade_no", "")))


def _link(args: Args) -> str:
    """What a person was shown; a gateway's own link is followed to its page first."""
    link = str(args.get("link", ""))
    fields = payer.link_fields(link)
    if not fields:
        return link
    asked = asked_verify(fields)
    if asked.method not in gateway.PAGES:
        raise BadCall(f"{asked.method} is no page")
    return gateway.PAGES[asked.method](asked)


def sign(subject: str, args: Args) -> Args:
    contract = payer.contract_by_token(payer.link_token(_link(args)))
    return _contract_json(contracts.contract_sign(contract.pk, subject))


def refuse_sign(_subject: str, args: Args) -> Args:
    contract = payer.contract_by_token(payer.link_token(_link(args)))
    contracts.contract_refuse(contract.pk)
    return {"external_agreement_no": contract.external_agreement_no, "status": "REFUSED"}


def unsign(subject: str, args: Args) -> Args:
    return _contract_json(payer.contract_unsign(subject, str(args.get("agreement_no", ""))))


def finish_refund(subject: str, args: Args) -> Args:
    fate = str(args.get("status", "SUCCESS"))
    if fate not in ("SUCCESS", "FAIL", "RETURNED"):
        raise BadCall("status is SUCCESS, FAIL or RETURNED")
    row = Refund.objects.filter(
        out_request_no=subject, trade__merchant__pid=args.get("pid", "")
    ).first()
    if row is None:
        raise BadCall(f"no refund {subject!r} of that merchant")
    return {"out_request_no": subject, "status": refunds.refund_settle(row.pk, fate).status}


def finish_transfer(subject: str, args: Args) -> Args:
    fate = str(args.get("status", "SUCCESS"))
    if fate not in ("SUCCESS", "FAIL", "REFUND"):
        raise BadCall("status is SUCCESS, FAIL or REFUND")
    row = Transfer.objects.filter(out_biz_no=subject, merchant__pid=args.get("pid", "")).first()
    if row is None:
        raise BadCall(f"no transfer {subject!r} of that merchant")
    return {"out_biz_no": subject, "status": transfers.transfer_settle(row.pk, fate).status}


MERCHANT_RULES = ("refund_window_days", "cancel_window_s", "payout_fen")


def set_rules(subject: str, args: Args) -> Args:
    return rules_set(payer.merchant_of(subject), MERCHANT_RULES, args)


_WHICH = {"out_trade_no": "whose password it is (default: the newest)", "link": "open it first"}
_SIGN = {"link": "the signing link or its page"}
_MONEY = {"balance_fen": "fen in the wallet", "free_fen": "scans above it want the password"}
_NAMES = {"logon_id": "login", "name": "real name", "phone": "phone number"}
PAYER: dict[str, Action] = {
    "create_wallet": Action(
        _plain(create_wallet),
        "user_id (empty: a new one)",
        {"user_id": "instead of the subject", **_NAMES, **_MONEY},
    ),
    "set_balance": Action(_plain(set_balance), "user_id", _MONEY),
    "show_wallet": Action(_plain(show_wallet), "user_id"),
    "show_code": Action(_plain(show_code), "user_id"),
    "open_pay_link": Action(_plain(open_pay_link), "user_id", {"link": "qr_code or link"}),
    "confirm": Action(_plain(confirm), "user_id", _WHICH),
    "refuse": Action(_plain(refuse), "user_id", _WHICH),
    "sign": Action(_plain(sign), "user_id", _SIGN),
    "refuse_sign": Action(_plain(refuse_sign), "user_id", _SIGN),
    "unsign": Action(_plain(unsign), "user_id", {"agreement_no": "the vendor's number"}),
}
_PID = {"pid": "merchant"}
VENDOR: dict[str, Action] = {
    "finish_refund": Action(
        _plain(finish_refund),
        "out_request_no of a refund still REFUND_PROCESSING",
        _PID | {"status": "SUCCESS, FAIL or RETURNED"},
    ),
    "finish_transfer": Action(
        _plain(finish_transfer),
        "out_biz_no of a transfer still DEALING; REFUND also of a finished one",
        _PID | {"status": "SUCCESS, FAIL or REFUND"},
    ),
    "set_rules": Action(_plain(set_rules), "pid", dict.fromkeys(MERCHANT_RULES, "whole number")),
}
