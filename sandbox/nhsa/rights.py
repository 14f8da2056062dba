"""What a person has a right to in one visit, read from the data and from what the year used up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.nhsa.benefit import WHOLE, Purse, Serious, Terms
from sandbox.nhsa.family import EMPLOYEE, account_of, link_refusals, links_of, pool_rules
from sandbox.nhsa.models import Accumulator, BenefitTerm, Coverage, Entitlement, Institution, Visit
from sandbox.nhsa.people import pool_of
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.visits import CHRONIC

EMERGENCY = "13"


@dataclass(frozen=True)
class Rights:
    terms: Terms
    purse: Purse
    # Why an account of the family does not pay, for the person to read.
    said: str = ""


def accumulator_of(visit: Visit, *, lock: bool = False) -> Accumulator:
    """What this scheme used in the visit's year; locked while it is being changed."""
    key: dict[str, Any] = {
        "person": visit.person,
        "insutype": visit.coverage.insutype,
        "year": visit.begntime.year,
    }
    if not lock:
        return Accumulator.objects.filter(**key).first() or Accumulator(**key)
    row, _ = Accumulator.objects.get_or_create(**key)
    return Accumulator.objects.select_for_update().get(pk=row.pk)


def rights_of(visit: Visit, used: Accumulator, *, account_used: bool) -> Rights:
    """Terms of the place of insurance; the catalogue was that of the place of care."""
    at, coverage = visit.begntime.date(), visit.coverage
    rules = pool_rules(coverage.insuplc_admdvs, at)
    if rules is None:
        raise Refused("参保地未开通联网结算")
    term = term_of(visit)
    terms = Terms(
        ratio=term.ratio,
        deductible_left_fen=max(term.deductible_fen - used.deductible_fen, 0),
        cap_left_fen=None if term.cap_fen is None else max(term.cap_fen - used.fund_fen, 0),
        factor=factor_of(visit, rules),
        serious=_serious(rules, coverage, used),
        scope_self_before_fen=used.scope_self_fen,
        civil_ratio=_ratio(rules, "civil_ratio") if coverage.cvlserv_flag == "1" else Decimal(0),
        aid_ratio=_aid_ratio(visit, rules, at),
        aid_left_fen=max(_fen(rules["aid_cap_yuan"]) - used.aid_fen, 0),
        commercial_ratio=_commercial_ratio(visit, rules, at),
        commercial_line_fen=_fen(rules["commercial_line_yuan"]),
        hospital_bears_overlimit=visit.institution.over_limit == Institution.OverLimit.HOSPITAL,
        employee=coverage.insutype == EMPLOYEE,
    )
    purse, said = _purse(visit, rules, at) if account_used else (Purse(), "")
    return Rights(terms=terms, purse=purse, said=said)


def term_of(visit: Visit) -> BenefitTerm:
    coverage = visit.coverage
    care = "chronic" if visit.med_type.startswith(CHRONIC) else "outpatient"
    rows = BenefitTerm.objects.filter(
        pool=pool_of(coverage.insuplc_admdvs),
        insutype=coverage.insutype,
        care=care,
        hosp_lv=visit.institution.hosp_lv,
        retired=coverage.retired and coverage.insutype == EMPLOYEE,
        from_year__lte=visit.begntime.year,
    )
    term = rows.order_by("-from_year").first()
    if term is None:
        raise Refused("未找到该险种的待遇参数")
    return term


def factor_of(visit: Visit, rules: dict[str, Any]) -> Decimal:
    """Outside the place of insurance the ratio shrinks, by how the person went there."""
    here, home = visit.institution.admdvs, visit.coverage.insuplc_admdvs
    if pool_of(here) == pool_of(home):
        return WHOLE
    at = visit.begntime.date()
    filed = standing(visit, Entitlement.Kind.CROSS_REGION, at)
    places = (here, pool_of(here), f"{here[:2]}0000", "")
    ways = [one.code for one in filed if one.region in places]
    factors = rules["factors"]
    if ways:
        return max(Decimal(factors[way]) for way in ways)
    return Decimal(factors["emergency" if visit.med_type == EMERGENCY else "unfiled"])


def standing(visit: Visit, kind: Entitlement.Kind, at: date) -> list[Entitlement]:
    rows = visit.person.entitlements.filter(kind=kind, revoked_at=None, begndate__lte=at)
    return list(rows.exclude(enddate__lt=at).order_by("pk"))


def _serious(rules: dict[str, Any], coverage: Coverage, used: Accumulator) -> Serious:
    rule = rules["serious"]
    cap = rule["cap_yuan"].get(coverage.insutype)
    return Serious(
        line_fen=_fen(rule["line_yuan"]),
        tiers=tuple((_fen(upto) if upto else None, Decimal(r)) for upto, r in rule["tiers"]),
        cap_left_fen=max(_fen(cap) - used.serious_fen, 0) if cap else None,
    )


def _aid_ratio(visit: Visit, rules: dict[str, Any], at: date) -> Decimal:
    known = rules["aid_ratios"]
    found = [known.get(one.name) for one in standing(visit, Entitlement.Kind.RESCUE, at)]
    return max((Decimal(ratio) for ratio in found if ratio), default=Decimal(0))


def _commercial_ratio(visit: Visit, rules: dict[str, Any], at: date) -> Decimal:
    has = standing(visit, Entitlement.Kind.COMMERCIAL, at)
    return _ratio(rules, "commercial_ratio") if has else Decimal(0)


def _ratio(rules: dict[str, Any], name: str) -> Decimal:
    return Decimal(rules[name])


def _fen(yuan: str) -> int:
    return int(Decimal(yuan) * 100)


def _purse(visit: Visit, rules: dict[str, Any], at: date) -> tuple[Purse, str]:
    """The person's own account, then those of the family that fulfil every condition."""
    own = visit.coverage.balance_fen if visit.coverage.insutype == EMPLOYEE else 0
    family, said = [], []
    for link in links_of(visit.person):
        reasons = link_refusals(link, at)
        account = account_of(link.payer)
        if reasons or account is None:
            said += [f"{link.payer.name}：{'，'.join(reasons)}"]
        else:
            family.append((account.pk, account.balance_fen))
    purse = Purse(
        balance_fen=own,
        pays_excluded=bool(rules["account_pays_excluded"]),
        family=tuple(family),
    )
    return purse, "；".join(said)[:400]
