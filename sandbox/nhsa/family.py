"""Whose account may pay for whom, and why not: every condition has its own sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.nhsa.models import Coverage, FamilyLink, Person, Pool
from sandbox.nhsa.people import pool_of

EMPLOYEE = "310"


def pool_rules(region: str, at: date) -> dict[str, Any] | None:
    """The rules of a place of insurance as they stand on a day."""
    rows = Pool.objects.filter(pool=pool_of(region), valid_from__lte=at).order_by("-valid_from")
    row = rows.first()
    return dict(row.rules) if row else None


def account_of(person: Person) -> Coverage | None:
    """The one row of a person that has an account that may be used."""
    return person.coverages.filter(insutype=EMPLOYEE, psn_insu_stas=Coverage.ACTIVE).first()


def link_refusals(link: FamilyLink, at: date) -> list[str]:
    """Why this account does not pay now; empty: it pays."""
    account = account_of(link.payer)
    covered = link.member.coverages.filter(psn_insu_stas=Coverage.ACTIVE).first()
    if account is None:
        return ["付款家人没有可用的个人账户"]
    if covered is None:
        return ["家庭成员没有正常参保"]
    rules = (pool_rules(account.insuplc_admdvs, at) or {}).get("mutual", {})
    reasons = []
    if link.relation not in rules.get("relations", ()):
        reasons.append("当地不支持与这位家人共济")
    if not link.family_account:
        reasons.append("还没有建立家庭账户")
    if link.relation == FamilyLink.Relation.CHILD:
        reasons += _child_refusals(link, account, covered, rules)
    return reasons


def _child_refusals(
    link: FamilyLink, account: Coverage, covered: Coverage, rules: dict[str, Any]
) -> list[str]:
    reasons = []
    if pool_of(covered.insuplc_admdvs) != pool_of(account.insuplc_admdvs):
        reasons.append("孩子与监护人不在同一统筹区参保")
    if not link.member.card_valid:
        reasons.append("孩子的金融社保卡无效")
    if not link.card_linked:
        reasons.append("孩子的社保卡没有绑定到监护人的电子社保卡")
    if link.member.enrolled_by_id != link.payer_id:
        reasons.append("监护人与参保登记的监护人不一致")
    threshold = int(Decimal(rules.get("child_threshold_yuan", "0")) * 100)
    # The account must exceed the threshold; equal to it is not enough.
    if account.balance_fen <= threshold:
        reasons.append(f"监护人个人账户余额须高于{threshold / 100:.2f}元")
    return reasons


def links_of(member: Person) -> list[FamilyLink]:
    rows = FamilyLink.objects.filter(member=member, ended_at=None)
    return list(rows.select_related("payer", "member").order_by("created_at", "pk"))
