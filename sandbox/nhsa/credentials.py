"""Shown codes, faces and the tokens they become; a token ends, a code is decoded once."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from sandbox.nhsa.models import (
    FaceScan,
    FamilyLink,
    Institution,
    PayAuth,
    Person,
    ShownCode,
    Token,
)
from sandbox.nhsa.numbers import auth_number, code_number, token_number
from sandbox.nhsa.provision import house
from sandbox.nhsa.refusal import Refused
from sandbox.wechat_pay.models import Wallet
from sandbox.wechat_pay.payer import code_show
from sandbox.world import clock


def token_person(institution: Institution, token: str) -> Person:
    """Who a token stands for; it is good at the organisation that was given it."""
    row = Token.objects.select_related("person").filter(token=token).first()
    if row is None:
        raise Refused("电子凭证令牌无效")
    if row.org_id != institution.code:
        raise Refused("电子凭证令牌不是本机构的")
    if row.expires_at <= clock.now():
        raise Refused("电子凭证令牌已过期，请重新出示医保码")
    return row.person


def token_give(person: Person, org_id: str) -> Token:
    life = timedelta(seconds=house().token_life_s)
    return Token.objects.create(
        token=token_number(), person=person, org_id=org_id, expires_at=clock.now() + life
    )


@transaction.atomic
def insurance_code_show(person: Person) -> ShownCode:
    """A fresh code on the phone; the wallet beside it takes the same digits as a payment code."""
    until = clock.now() + timedelta(seconds=house().code_life_s)
    row = ShownCode.objects.create(code=code_number(), person=person, expires_at=until)
    if Wallet.objects.filter(openid=person.openid).exists():
        code_show(person.openid, digits=row.code, until=until)
    return row


@transaction.atomic
def code_decode(code: str, org_id: str) -> tuple[Person, Token]:
    """What a scanned code says. Again within the window it says the same, later nothing."""
    row = ShownCode.objects.select_for_update(of=("self",)).filter(code=code).first()
    if row is None:
        raise Refused("医保码无效，请让患者刷新后重新出示")
    at = clock.now()
    if row.token is not None and row.decoded_at is not None:
        window = timedelta(seconds=house().code_window_s)
        if row.token.org_id != org_id or row.decoded_at + window <= at:
            raise Refused("医保码已使用，请让患者刷新后重新出示")
        return row.person, row.token
    if row.expires_at <= at:
        raise Refused("医保码已过期，请让患者刷新后重新出示")
    row.token = token_give(row.person, org_id)
    row.decoded_at = at
    row.save(update_fields=["token", "decoded_at"])
    return row.person, row.token


@transaction.atomic
def face_scan(person: Person, org_id: str, out_biz_no: str) -> FaceScan:
    """A terminal saw a face; the same business number is the same scan."""
    known = FaceScan.objects.filter(org_id=org_id, out_biz_no=out_biz_no).first()
    if known is not None:
        if known.person_id != person.pk:
            raise Refused("外部业务流水号重复")
        return known
    return FaceScan.objects.create(
        auth_no=auth_number("AUTH")[:40],
        out_biz_no=out_biz_no,
        org_id=org_id,
        person=person,
        expires_at=clock.now() + timedelta(seconds=house().pay_auth_life_s),
    )


@transaction.atomic
def face_check(auth_no: str, org_id: str) -> tuple[FaceScan, Token]:
    """An authNo becomes an identity; asked again it is the same one while it lives."""
    rows = FaceScan.objects.select_for_update(of=("self",)).select_related("person", "token")
    row = rows.filter(auth_no=auth_no, org_id=org_id).first()
    if row is None:
        raise Refused("授权码无效")
    if row.expires_at <= clock.now():
        raise Refused("授权码已过期，请重新刷脸")
    if row.token is None:
        row.token = token_give(row.person, org_id)
        row.save(update_fields=["token"])
    return row, row.token


def pay_auth_give(person: Person, payer: Person | None = None) -> PayAuth:
    """The person agrees on the phone to pay one order by insurance, or `payer` does for them: the
    guardian who enrolled them, or whoever is linked to them as a family account."""
    if payer is not None and not _speaks_for(payer, person):
        raise Refused("未与该家人建立亲情账户，不能代其授权")
    until = clock.now() + timedelta(seconds=house().pay_auth_life_s)
    return PayAuth.objects.create(
        pay_auth_no=auth_number("AUTH")[:40], person=person, payer=payer, expires_at=until
    )


def _speaks_for(payer: Person, person: Person) -> bool:
    links = FamilyLink.objects.filter(payer=payer, member=person, ended_at=None)
    return person.enrolled_by_id == payer.pk or links.exists()


def pay_auth_use(pay_auth_no: str, order: str) -> Person:
    """Take an authorisation for one order; it is not taken for another."""
    row = PayAuth.objects.select_for_update(of=("self",)).filter(pay_auth_no=pay_auth_no).first()
    if row is None:
        raise Refused("支付授权码无效")
    if row.used_by and row.used_by != order:
        raise Refused("支付授权码已使用")
    if not row.used_by and row.expires_at <= clock.now():
        raise Refused("支付授权码已过期，请患者重新授权")
    if not row.used_by:
        row.used_by = order
        row.save(update_fields=["used_by"])
    return row.person
