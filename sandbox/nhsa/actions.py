"""The actions of `POST /_control/act` by actor `nhsa`: people, rights, codes and rules."""

from __future__ import annotations

from sandbox.nhsa import enrolment, mobile_paying
from sandbox.nhsa.credentials import insurance_code_show, pay_auth_give
from sandbox.nhsa.enrolment import flag_of, person_by, person_shown
from sandbox.nhsa.faces import face_present
from sandbox.nhsa.family import link_refusals
from sandbox.nhsa.models import Accumulator, House, Institution
from sandbox.nhsa.people import today
from sandbox.nhsa.provision import HOUSE_RULES, house
from sandbox.nhsa.refusal import Refused
from sandbox.world.acting import Args, plainly
from sandbox.world.registry import Action

_plain = plainly(Refused)


def enrol_person(subject: str, args: Args) -> Args:
    return enrolment.person_enrol(subject, args)


def set_coverage(subject: str, args: Args) -> Args:
    person = person_by(subject)
    enrolment.coverage_set(person, args)
    return person_shown(person)


def set_used(subject: str, args: Args) -> Args:
    person = person_by(subject)
    enrolment.year_set(person, args)
    return person_shown(person)


def file_entitlement(subject: str, args: Args) -> Args:
    row = enrolment.entitlement_file(person_by(subject), args)
    return {"number": row.number, "kind": row.kind, "code": row.code}


def link_family(subject: str, args: Args) -> Args:
    """Links; `refused` says why the account does not pay (yet)."""
    link = enrolment.family_link(person_by(subject), args)
    return {"relation": link.relation, "refused": link_refusals(link, today())}


def unlink_family(subject: str, args: Args) -> Args:
    enrolment.family_unlink(person_by(subject), person_by(str(args.get("member", ""))))
    return {}


def show_person(subject: str, _args: Args) -> Args:
    return person_shown(person_by(subject))


def show_insurance_code(subject: str, _args: Args) -> Args:
    row = insurance_code_show(person_by(subject))
    return {"code": row.code, "expires_at": row.expires_at.isoformat()}


def authorise_pay(subject: str, args: Args) -> Args:
    by = str(args.get("by", ""))
    row = pay_auth_give(person_by(subject), person_by(by) if by else None)
    return {"pay_auth_no": row.pay_auth_no, "expires_at": row.expires_at.isoformat()}


def present_face(subject: str, args: Args) -> Args:
    term = str(args.get("term_id", ""))
    face_present(term, person_by(subject).psn_no)
    return {"term_id": term}


def confirm_order(subject: str, args: Args) -> Args:
    """The person confirms on the phone; `cash` false leaves the cash to somebody else."""
    order = mobile_paying.order_confirm(subject, cash=flag_of(args, "cash"))
    return {"pay_ord_id": order.pay_ord_id, "ord_stas": order.ord_stas}


def cash_arrived(subject: str, _args: Args) -> Args:
    order = mobile_paying.cash_arrived(subject)
    return {"pay_ord_id": order.pay_ord_id, "ord_stas": order.ord_stas}


def set_order(subject: str, args: Args) -> Args:
    """The centre's own trouble: an order is shown in a state."""
    wanted = args.get("ord_stas")
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise Refused("ord_stas is a number")
    order = mobile_paying.order_disturb(subject, wanted)
    return {"pay_ord_id": order.pay_ord_id, "ord_stas": order.ord_stas}


def set_rules(subject: str, args: Args) -> Args:
    """Rules of the platform (no subject), or of an institution (its code)."""
    if subject:
        return _institution_rules(subject, args)
    changed = {name: args[name] for name in HOUSE_RULES if name in args}
    for name, value in changed.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise Refused(f"{name} is a whole number of seconds")
    House.objects.filter(pk=house().pk).update(**changed)
    own = house()
    return {name: getattr(own, name) for name in HOUSE_RULES}


def _institution_rules(code: str, args: Args) -> Args:
    place = Institution.objects.filter(code=code).first()
    if place is None:
        raise Refused(f"定点医药机构{code}不存在")
    if "fund_includes_account" in args:
        place.fund_includes_account = flag_of(args, "fund_includes_account")
    if "over_limit" in args:
        if args["over_limit"] not in Institution.OverLimit.values:
            raise Refused(f"over_limit is one of {', '.join(Institution.OverLimit.values)}")
        place.over_limit = args["over_limit"]
    if "hosp_lv" in args:
        if args["hosp_lv"] not in ("0", "1", "2", "3"):
            raise Refused("hosp_lv is 0, 1, 2 or 3")
        place.hosp_lv = args["hosp_lv"]
    if "callback_url" in args:
        place.callback_url = str(args["callback_url"])
    if "cashless_waits" in args:
        place.cashless_waits = flag_of(args, "cashless_waits")
    place.save()
    return {
        "fund_includes_account": place.fund_includes_account,
        "over_limit": place.over_limit,
        "hosp_lv": place.hosp_lv,
        "callback_url": place.callback_url,
        "cashless_waits": place.cashless_waits,
    }


_WHO = "psn_no or certno"
_COVERAGE = {
    "insutype": "310 (default) or 390",
    "insuplc_admdvs": "place of insurance, default 330300",
    "psn_type": "1101 active, 1201 retired, 151001 resident …",
    "psn_insu_stas": "1 active, 2 paused, 4 ended",
    "psn_insu_date": "yyyy-MM-dd",
    "paus_insu_date": "yyyy-MM-dd",
    "cvlserv_flag": "1: civil servant",
    "emp_name": "employer",
    "balance_fen": "personal account",
}
NHSA: dict[str, Action] = {
    "enrol_person": Action(
        _plain(enrol_person),
        "certno",
        {
            "name": "name",
            "sex": "male or female",
            "birth_date": "yyyy-MM-dd",
            "phone": "phone number",
            "openid": "wallet on the same phone",
            "card_no": "social security card",
            "card_valid": "true or false",
            "enrolled_by": "psn_no or certno of the guardian at enrolment",
            **_COVERAGE,
        },
    ),
    "set_coverage": Action(_plain(set_coverage), _WHO, _COVERAGE),
    "set_used": Action(
        _plain(set_used),
        _WHO,
        {"insutype": "scheme", "year": "year"} | dict.fromkeys(Accumulator.COUNTED, "fen or count"),
    ),
    "file_entitlement": Action(
        _plain(file_entitlement),
        _WHO,
        {
            "kind": "chronic, cross_region, rescue, commercial",
            "code": "disease; long_term, transfer, emergency; identity; product",
            "name": "for rescue: 特困, 低保, 低边",
            "region": "for cross_region: where",
            "begndate": "yyyy-MM-dd",
            "enddate": "yyyy-MM-dd",
        },
    ),
    "link_family": Action(
        _plain(link_family),
        "psn_no or certno of the payer",
        {
            "member": _WHO,
            "relation": "child, spouse or parent: what the member is",
            "card_linked": "true",
            "family_account": "true",
        },
    ),
    "unlink_family": Action(_plain(unlink_family), "the payer", {"member": _WHO}),
    "show_person": Action(_plain(show_person), _WHO),
    "show_insurance_code": Action(_plain(show_insurance_code), _WHO),
    "authorise_pay": Action(_plain(authorise_pay), _WHO, {"by": "a relative in their stead"}),
    "present_face": Action(_plain(present_face), _WHO, {"term_id": "terminal"}),
    "confirm_order": Action(
        _plain(confirm_order), "payOrdId", {"cash": "false: only the insurance part"}
    ),
    "cash_arrived": Action(_plain(cash_arrived), "payOrdId"),
    "set_order": Action(_plain(set_order), "payOrdId", {"ord_stas": "0 to 99"}),
    "set_rules": Action(
        _plain(set_rules),
        "empty, or an institution's code",
        dict.fromkeys(HOUSE_RULES, "seconds")
        | {
            "fund_includes_account": "true: fund_pay_sumamt also holds acct_pay",
            "over_limit": "split, refuse or hospital",
            "hosp_lv": "0 to 3",
            "callback_url": "where 6302 goes",
            "cashless_waits": "true: 6202 does not settle an order without cash",
        },
    ),
}
