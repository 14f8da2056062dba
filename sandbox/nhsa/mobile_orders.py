"""6201, 6202 and 6401: an order is saved, tried, taken back before anything is settled."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.db import IntegrityError, transaction

from sandbox.nhsa import shown, states
from sandbox.nhsa.credentials import pay_auth_use, token_person
from sandbox.nhsa.fees import line_wanted, lines_add, lines_remove, lines_waiting
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Coverage, Institution, MobileOrder, Person, Visit
from sandbox.nhsa.numbers import order_number, visit_number, yuan_text
from sandbox.nhsa.people import ID_CARD
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.settlements import batch_ready, trial
from sandbox.nhsa.visits import CHRONIC, MED_TYPES, chronic_filed, diagnosis_of
from sandbox.world import clock

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
REGISTERED = {
    "atddr_no": "atddrNo",
    "dr_name": "drName",
    "dept_code": "deptCode",
    "dept_name": "deptName",
    "caty": "caty",
}
Data = dict[str, Any]


def snake(row: Fields) -> Fields:
    """The FSI's spelling of a camel-case row."""
    return Fields(
        {_HUMP.sub(lambda m: f"_{m[1].lower()}", name): v for name, v in row.data.items()},
        row.where,
    )


def place_of(data: Fields) -> Institution:
    place = Institution.objects.filter(code=data.need("orgCodg", 30)).first()
    if place is None:
        raise Refused("定点医药机构不存在")
    return place


@transaction.atomic
def order_save(data: Fields) -> Data:
    """6201: the same order sent again, as long as nothing became of it, is the same order."""
    place, number = place_of(data), data.need("medOrgOrd", 64)
    fee_fen = data.fen("medfeeSumamt")
    person, credential = _payer(place, data, number)
    known = MobileOrder.objects.filter(institution=place, med_org_ord=number).first()
    if known is not None:
        same = (known.person_id, known.fee_fen, known.ord_stas) == (person.pk, fee_fen, 0)
        if not same:
            raise Refused(f"医院订单号{number}已存在")
        return _saved(known)
    visit = _visit(place, person, data)
    batch = data.need("chrgBchno", 30)
    if data.data.get("feedetailList"):
        rows = data.rows("feedetailList")
        ready = [
            line_wanted(Fields({"chrg_bchno": batch} | snake(row).data, row.where)) for row in rows
        ]
        if {one.batch for one in ready} != {batch}:
            raise Refused("明细的收费批次号与订单不一致")
        lines_add(visit, ready, clock.now())
    batch_ready(visit, batch, fee_fen)
    try:
        with transaction.atomic():
            order = MobileOrder.objects.create(
                pay_ord_id=order_number(),
                pay_token=secrets.token_hex(16),
                med_org_ord=number,
                institution=place,
                person=person,
                visit=visit,
                batch=batch,
                psn_setlway=data.text("psnSetlway", 2) or "01",
                acct_used=data.text("acctUsedFlag", 1) != "0",
                credential=credential,
                ord_stas=states.SAVED,
                fee_fen=fee_fen,
                created_at=clock.now(),
                traced_at=clock.now(),
            )
    except IntegrityError as error:
        raise Refused(f"医院订单号{number}已存在") from error
    return _saved(order)


def _saved(order: MobileOrder) -> Data:
    return {
        "payOrdId": order.pay_ord_id,
        "payToken": order.pay_token,
        "orderStatus": order.ord_stas,
        "extData": {"mdtrtId": order.visit.mdtrt_id},
    }


def _payer(place: Institution, data: Fields, number: str) -> tuple[Person, str]:
    """Exactly one of ecToken and payAuthNo, and it is of the person named."""
    person, credential = credential_person(place, data, number)
    named = data.need("idNo", 50).upper(), data.need("userName", 50)
    if named != (person.certno, person.name):
        raise Refused("授权人与患者不一致")
    return person, credential


def credential_person(place: Institution, data: Fields, number: str) -> tuple[Person, str]:
    token, auth = data.text("ecToken", 50), data.text("payAuthNo", 40)
    if bool(token) == bool(auth):
        raise Refused("ecToken与payAuthNo必须且只能填一个")
    if token:
        return token_person(place, token), token
    return pay_auth_use(auth, f"{place.code}/{number}"[:40]), auth


def _visit(place: Institution, person: Person, data: Fields) -> Visit:
    """The visit of 2201, or one that the order itself brings along."""
    number = data.text("mdtrtId", 30)
    if number:
        found = Visit.objects.select_for_update(of=("self",)).filter(
            mdtrt_id=number, institution=place, person=person, cancelled_at=None
        )
        visit = found.select_related("person", "coverage", "institution").first()
        if visit is None:
            raise Refused("未找到就诊信息")
    else:
        visit = _visit_begin(place, person, data)
    if data.data.get("diseinfoList") or not visit.med_type:
        _describe(visit, data)
    return visit


def _visit_begin(place: Institution, person: Person, data: Fields) -> Visit:
    rows = person.coverages.filter(psn_insu_stas=Coverage.ACTIVE)
    for name, wire in (("insutype", "insutype"), ("insuplc_admdvs", "insuplcAdmdvs")):
        if data.text(wire, 6):
            rows = rows.filter(**{name: data.text(wire, 6)})
    coverage = rows.order_by("insutype").first()
    if coverage is None:
        raise Refused("参保状态不正常，不能享受医保待遇")
    number = data.need("iptOtpNo", 30)
    try:
        with transaction.atomic():
            return Visit.objects.create(
                mdtrt_id=visit_number(),
                institution=place,
                person=person,
                coverage=coverage,
                ipt_otp_no=number,
                cert_type=ID_CARD,
                cert_no=person.certno,
                begntime=data.moment("begntime"),
                registered={name: data.need(wire, 50) for name, wire in REGISTERED.items()},
                created_at=clock.now(),
            )
    except IntegrityError as error:
        raise Refused(f"住院/门诊号{number}已登记") from error


def _describe(visit: Visit, data: Fields) -> None:
    visit.med_type = data.choice("medType", MED_TYPES)
    visit.dise_codg = data.text("diseCodg", 30)
    if visit.med_type.startswith(CHRONIC) and not chronic_filed(visit, visit.dise_codg):
        raise Refused(f"参保人员未备案门诊慢特病病种{visit.dise_codg}")
    visit.diagnoses = [diagnosis_of(snake(row)) for row in data.rows("diseinfoList", 50)]
    visit.save(update_fields=["med_type", "dise_codg", "diagnoses"])


def order_find(data: Fields) -> MobileOrder:
    """The order meant, locked with its visit; its token must be right."""
    rows = MobileOrder.objects.select_for_update(of=("self",)).select_related(
        "institution", "person", "visit__person", "visit__coverage", "visit__institution",
        "settlement",
    )  # fmt: skip
    order = rows.filter(pay_ord_id=data.need("payOrdId", 40)).first()
    if order is None:
        raise Refused("支付订单不存在")
    if data.text("orgCodg", 30) not in ("", order.institution.code):
        raise Refused("支付订单不属于该机构")
    if data.text("payToken", 64) not in ("", order.pay_token):
        raise Refused("支付令牌不正确")
    visit_lock(order)
    return order


def visit_lock(order: MobileOrder) -> None:
    """The visit after its order: the FSI may settle the same batch at the same moment."""
    Visit.objects.select_for_update(of=("self",)).get(pk=order.visit_id)


@transaction.atomic
def order_price(data: Fields) -> Data:
    """6202: the trial; asked again before the person confirmed it is tried again."""
    order = order_find(data)
    data.need("payToken", 64)
    if order.ord_stas not in (states.SAVED, states.PRICED):
        raise Refused(f"订单状态{order.ord_stas}不能下单")
    person, _ = credential_person(order.institution, data, order.med_org_ord)
    if person.pk != order.person_id:
        raise Refused("授权人与订单不一致")
    if data.text("acctUsedFlag", 1):
        order.acct_used = data.choice("acctUsedFlag", ("0", "1")) == "1"
    lines = batch_ready(order.visit, order.batch, order.fee_fen)
    one, rights = trial(order.visit, lines, account_used=order.acct_used)
    deposit = data.fen_or_none("deposit") or 0
    if not 0 <= deposit <= one.cash_fen:
        raise Refused("预缴金抵扣不能超过现金部分")
    order.deposit_fen = deposit
    order.ord_stas = states.PRICED
    order.traced_at = clock.now()
    order.trial = {
        "fund_fen": one.fund_fen,
        "acct_fen": one.acct_fen,
        "mulaid_fen": one.mulaid_fen,
        "cash_fen": one.cash_fen,
        "hosp_part_fen": one.hosp_part_fen,
    }
    order.save()
    told = shown.split_json(order.visit, one, rights, clock.now())["setlinfo"]
    return amounts_json(order) | {
        "deposit": yuan_text(deposit),
        "extData": {"preSetl": told},
    }


def amounts_json(order: MobileOrder) -> Data:
    """The parts as they stand: of the settlement once there is one, before that of the trial."""
    row, told = order.settlement, order.trial
    fen = {name: getattr(row, name) if row else told.get(name, 0) for name in PARTS}
    return {
        "payOrdId": order.pay_ord_id,
        "ordStas": str(order.ord_stas),
        "feeSumamt": yuan_text(order.fee_fen),
        "ownPayAmt": yuan_text(fen["cash_fen"]),
        "psnAcctPay": yuan_text(fen["acct_fen"]),
        "fundPay": yuan_text(fen["fund_fen"]),
        "acctMulaidPay": yuan_text(fen["mulaid_fen"]),
        "selfAcctPay": yuan_text(fen["acct_fen"] - fen["mulaid_fen"]),
        "hospPartAmt": yuan_text(fen["hosp_part_fen"]),
        "othFeeAmt": "0.00",
    }


PARTS = ("fund_fen", "acct_fen", "mulaid_fen", "cash_fen", "hosp_part_fen")


@transaction.atomic
def order_revoke(data: Fields) -> Data:
    """6401: only before the person confirmed; again is as once."""
    order = order_find(data)
    named = data.need("idNo", 50).upper(), data.need("userName", 50)
    if named != (order.person.certno, order.person.name):
        raise Refused("患者与订单不一致")
    if order.ord_stas not in (states.SAVED, states.PRICED, states.REVOKED):
        raise Refused(f"订单状态{order.ord_stas}不能撤销")
    if order.ord_stas != states.REVOKED:
        if lines_waiting(order.visit, order.batch):
            lines_remove(order.visit, order.batch)
        order.ord_stas = states.REVOKED
        order.traced_at = clock.now()
        order.save(update_fields=["ord_stas", "traced_at"])
    return {"success": True, "message": "成功"}
