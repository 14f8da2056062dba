"""How the world gets its insured people: enrolled, covered, linked, entitled; again is the same."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Accumulator, Coverage, Entitlement, FamilyLink, Person
from sandbox.nhsa.numbers import filing_number, person_number, yuan
from sandbox.nhsa.people import person_json, today
from sandbox.nhsa.refusal import Refused
from sandbox.world import clock

HOME = "330300"
SEXES = {"male": "1", "female": "2", "1": "1", "2": "2"}
COVERAGE = ("psn_type", "psn_insu_stas", "cvlserv_flag", "emp_name")
Args = dict[str, Any]


def person_by(value: str) -> Person:
    """A person by number or certificate."""
    rows = Person.objects.filter(psn_no=value) | Person.objects.filter(certno=value.upper())
    person = rows.first()
    if person is None:
        raise Refused(f"没有这位参保人：{value}")
    return person


def fen_of(args: Args, name: str) -> int:
    value = args.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"{name} is an integer of fen, not negative")
    return value


def flag_of(args: Args, name: str) -> bool:
    value = args.get(name, True)
    if not isinstance(value, bool):
        raise Refused(f"{name} is true or false")
    return value


@transaction.atomic
def person_enrol(certno: str, args: Args) -> Args:
    """Make or change a person with one row of insurance; a balance is set only when it is given."""
    fields = Fields(args | {"certno": certno}, "args")
    region = fields.text("insuplc_admdvs", 6) or HOME
    number = fields.need("certno", 50).upper()
    known: Args = {
        "name": fields.need("name", 50),
        "gend": SEXES[fields.choice("sex", tuple(SEXES))],
        "birthday": fields.day("birth_date"),
    }
    for name, limit in (("phone", 32), ("openid", 64), ("card_no", 50)):
        if name in args:
            known[name] = fields.text(name, limit)
    if "card_valid" in args:
        known["card_valid"] = flag_of(args, "card_valid")
    if args.get("enrolled_by"):
        known["enrolled_by"] = person_by(str(args["enrolled_by"]))
    person, _ = Person.objects.update_or_create(
        certno=number,
        defaults=known,
        create_defaults=known | {"psn_no": person_number(region, number)},
    )
    coverage_set(person, args | {"insuplc_admdvs": region})
    return person_shown(person)


def coverage_set(person: Person, args: Args) -> Coverage:
    """One row of insurance, made or changed."""
    fields = Fields(args, "args")
    insutype = fields.text("insutype", 6) or "310"
    born = person.birthday
    known: Args = {name: fields.text(name, 100) for name in COVERAGE if name in args}
    if "balance_fen" in args:
        known["balance_fen"] = fen_of(args, "balance_fen")
    if fields.text("psn_insu_date"):
        known["psn_insu_date"] = fields.day("psn_insu_date")
    if fields.text("paus_insu_date"):
        known["paus_insu_date"] = fields.day("paus_insu_date")
    start: Args = {
        "psn_type": "1101" if insutype == "310" else "151001",
        "psn_insu_date": max(date(2015, 1, 1), born),
    }
    row, _ = Coverage.objects.update_or_create(
        person=person,
        insutype=insutype,
        insuplc_admdvs=fields.text("insuplc_admdvs", 6) or HOME,
        defaults=known,
        create_defaults=start | known,
    )
    return row


@transaction.atomic
def family_link(payer: Person, args: Args) -> FamilyLink:
    """Two people as one family account; what the member is to the payer."""
    fields = Fields(args, "args")
    member = person_by(fields.need("member", 50))
    if member.pk == payer.pk:
        raise Refused("不能与自己共济")
    relation = fields.choice("relation", FamilyLink.Relation.values)
    row, _ = FamilyLink.objects.update_or_create(
        payer=payer,
        member=member,
        ended_at=None,
        defaults={
            "relation": relation,
            "card_linked": flag_of(args, "card_linked"),
            "family_account": flag_of(args, "family_account"),
        },
        create_defaults={
            "relation": relation,
            "card_linked": flag_of(args, "card_linked"),
            "family_account": flag_of(args, "family_account"),
            "created_at": clock.now(),
        },
    )
    return row


def family_unlink(payer: Person, member: Person) -> None:
    rows = FamilyLink.objects.filter(payer=payer, member=member, ended_at=None)
    if not rows.update(ended_at=clock.now()):
        raise Refused("没有这位家人的共济绑定")


def entitlement_file(person: Person, args: Args) -> Entitlement:
    fields = Fields(args, "args")
    kind = fields.choice("kind", Entitlement.Kind.values)
    key: Args = {
        "person": person,
        "kind": kind,
        "code": fields.need("code", 30),
        "region": fields.text("region", 6),
        "revoked_at": None,
    }
    dates: Args = {
        "name": fields.text("name", 100),
        "begndate": fields.day_or_none("begndate") or date(today().year, 1, 1),
        "enddate": fields.day_or_none("enddate"),
    }
    row, _ = Entitlement.objects.update_or_create(
        **key, defaults=dates, create_defaults=dates | {"number": filing_number()}
    )
    return row


def year_set(person: Person, args: Args) -> Accumulator:
    """What this year has used before the story begins."""
    fields = Fields(args, "args")
    year = int(args.get("year") or today().year)
    row, _ = Accumulator.objects.get_or_create(
        person=person, insutype=fields.text("insutype", 6) or "310", year=year
    )
    for name in Accumulator.COUNTED:
        if name in args:
            setattr(row, name, fen_of(args, name))
    row.save()
    return row


def person_shown(person: Person) -> Args:
    """A person as the actions answer; money also in fen."""
    out: Args = person_json(person, today())
    out["psn_no"] = person.psn_no
    out["used"] = [
        {"insutype": row.insutype, "year": row.year}
        | {name: getattr(row, name) for name in Accumulator.COUNTED}
        for row in Accumulator.objects.filter(person=person).order_by("insutype", "year")
    ]
    rows = FamilyLink.objects.filter(payer=person, ended_at=None).select_related("member")
    out["pays_for"] = [
        {"psn_no": one.member.psn_no, "relation": one.relation} for one in rows.order_by("pk")
    ]
    return out


def balance_text(person: Person) -> str:
    """The account as the phone writes it."""
    row = person.coverages.filter(insutype="310").first()
    return f"{yuan(row.balance_fen):.2f}" if row else "无个人账户"
