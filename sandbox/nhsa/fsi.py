"""The FSI's table of transactions and its two gateways: signed headers, and one path per call."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from sandbox.nhsa import (
    envelope,
    families,
    fees,
    files,
    filings,
    inquiries,
    oversight,
    people,
    reading,
    session,
    settlements,
    statements,
    undoing,
    visits,
)
from sandbox.nhsa.envelope import Run, reply
from sandbox.nhsa.models import Nonce
from sandbox.nhsa.operations import OPERATIONS
from sandbox.nhsa.provision import house
from sandbox.nhsa.refusal import BUSINESS, Refused
from sandbox.world import clock
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

NONCE_MAX = 64


@dataclass(frozen=True)
class Transaction:
    """What runs, under which operation faults strike it, and its path at the rio_fsi gateway."""

    run: Run
    operation: str
    path: str


_OUTPATIENT = "outpatientDocInfoService"
_SETTLE = "outpatientSettleService"
_QUERY = "fsiIntegratedQueryService"
# Odd spellings are the real ones.
TRANSACTIONS: dict[str, Transaction] = {
    "9001": Transaction(session.sign_in, "sign_in", "signInSignOutService/signIn"),
    "9002": Transaction(session.sign_out, "sign_in", "signInSignOutService/signOut"),
    "9101": Transaction(files.upload, "statement", "fileupload/upload"),
    "9102": Transaction(files.download, "statement", "fileupload/download"),
    "1101": Transaction(people.info, "query", "fsiPsnInfoService/queryPsnInfo"),
    "1162": Transaction(reading.code_read, "decode", "hsecfc/localQrCodeQuery"),
    "2001": Transaction(
        inquiries.benefit_check, "query", "fsiPsnPriorityInfoService/queryPsnPriorityInfo"
    ),
    "2201": Transaction(visits.register, "register", f"{_OUTPATIENT}/outpatientRregistration"),
    "2202": Transaction(
        visits.register_cancel, "register", f"{_OUTPATIENT}/outpatientRegistrationCancel"
    ),
    "2203": Transaction(visits.visit_info, "register", f"{_OUTPATIENT}/outpatientMdtrtinfoUp"),
    "2203A": Transaction(visits.visit_info, "register", f"{_OUTPATIENT}/outpatientMdtrtinfoUpA"),
    "2204": Transaction(fees.fees_upload, "upload", f"{_OUTPATIENT}/outpatientFeeListUp"),
    "2205": Transaction(fees.fees_remove, "upload", f"{_OUTPATIENT}/outpatientFeeListUpCancel"),
    "2206": Transaction(settlements.presettle, "presettle", f"{_SETTLE}/preSettletment"),
    "2206A": Transaction(settlements.presettle, "presettle", f"{_SETTLE}/preSettletmentA"),
    "2207": Transaction(settlements.settle, "settle", f"{_SETTLE}/saveSettletmentV2"),
    "2207A": Transaction(settlements.settle, "settle", f"{_SETTLE}/saveSettletment"),
    "2208": Transaction(
        settlements.settle_cancel, "settle_reverse", f"{_SETTLE}/cancleSettletment"
    ),
    "2501": Transaction(filings.cross_region_file, "filing", "referralService/saveReferral"),
    "2502": Transaction(filings.cross_region_cancel, "filing", "referralService/cancelReferral"),
    "2503": Transaction(filings.chronic_file, "filing", "opspRegService/saveOpspReg"),
    "2504": Transaction(filings.chronic_cancel, "filing", "opspRegService/cancelOpspReg"),
    "2581": Transaction(families.family_file, "filing", "famAcctService/saveFamAcct"),
    "2582": Transaction(families.family_end, "filing", "famAcctService/cancelFamAcct"),
    "2601": Transaction(undoing.undo, "reverse", "reverseService/revsMethod"),
    "3101": Transaction(oversight.before, "audit", "riskConService/beforeAnalyze"),
    "3102": Transaction(oversight.during, "audit", "riskConService/courseAnalyze"),
    "3201": Transaction(
        statements.totals_compare, "statement", "ybSettlementStmtService/stmtTotal"
    ),
    "3202": Transaction(statements.rows_compare, "statement", "ybSettlementStmtService/stmtDetail"),
    "5201": Transaction(visits.visits_query, "query", f"{_QUERY}/queryMdtrtInfo"),
    "5203": Transaction(inquiries.settlement_query, "query", f"{_QUERY}/querySetlInfo"),
    "5204": Transaction(inquiries.lines_query, "query", f"{_QUERY}/queryFeeList"),
    "5206": Transaction(inquiries.year_query, "query", f"{_QUERY}/queryFixmedinsPracPsnSum"),
    "5381": Transaction(families.family_query, "query", "famAcctService/queryFamAcct"),
    "5301": Transaction(inquiries.chronic_query, "query", f"{_QUERY}/queryPsnOpspReg"),
    "5304": Transaction(filings.cross_region_query, "query", "referralService/queryReferral"),
}
BY_PATH = {one.path: infno for infno, one in TRANSACTIONS.items()}


def signed_gateway(request: HttpRequest, infno: str) -> HttpResponse:
    """One base and the number; headers prove who calls."""
    return _gate(request, infno, lambda: _signature_check(request))


def path_gateway(request: HttpRequest, service: str, method: str) -> HttpResponse:
    """One path per transaction; a key in a header proves who calls."""
    return _gate(request, BY_PATH.get(f"{service}/{method}", ""), lambda: _key_check(request))


def _gate(request: HttpRequest, infno: str, proof: Callable[[], None]) -> HttpResponse:
    """What the gateway refuses never reaches the business, and is no 200."""
    at = clock.now()
    transaction = TRANSACTIONS.get(infno)
    if request.method != "POST":
        return reply(at, BUSINESS, "请使用POST", status=405)
    if transaction is None:
        return reply(at, BUSINESS, "接口地址不存在", status=404)

    def execute(fault: Fault | None) -> HttpResponse:
        try:
            proof()
        except Refused as error:
            return reply(at, BUSINESS, error.message, status=error.status)
        return envelope.answer(infno, request.body, transaction.run, fault)

    able = OPERATIONS[transaction.operation]
    return call_struck(request, "nhsa", transaction.operation, execute, able)


def _signature_check(request: HttpRequest) -> None:
    """Hex SHA-256 over timestamp, secret, nonce, timestamp; inside the window; the nonce once."""
    own, headers = house(), request.headers
    stamp, nonce = headers.get("x-tif-timestamp", ""), headers.get("x-tif-nonce", "")
    if headers.get("x-tif-paasid") != own.paasid:
        raise Refused("x-tif-paasid无效", status=401)
    if not (stamp.isascii() and stamp.isdecimal() and nonce and len(nonce) <= NONCE_MAX):
        raise Refused("签名头不完整", status=401)
    text = f"{stamp}{own.secret_key}{nonce}{stamp}"
    wanted = hashlib.sha256(text.encode()).hexdigest()
    given = headers.get("x-tif-signature", "").lower()
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Refused("签名校验失败", status=401)
    now, window = clock.now(), timedelta(seconds=own.clock_window_s)
    # While the portal catches up with a moved clock its requests may bear either end's time.
    start = (clock.moving_from() or now) - window
    if not start.timestamp() <= int(stamp) <= (now + window).timestamp():
        raise Refused("时间戳超出允许范围", status=401)
    _nonce_take(nonce, window)


def _nonce_take(nonce: str, window: timedelta) -> None:
    now = clock.now()
    Nonce.objects.filter(created_at__lt=now - 2 * window).delete()
    try:
        Nonce.objects.create(value=nonce, created_at=now)
    except IntegrityError as error:
        raise Refused("x-tif-nonce重复", status=401) from error


def _key_check(request: HttpRequest) -> None:
    given = request.headers.get("apikey", "")
    if not hmac.compare_digest(house().apikey.encode(), given.encode()):
        raise Refused("apikey无效", status=401)
