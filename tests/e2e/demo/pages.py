"""Every page that people outside the house read, by the name of its address.

`PAGES` says where each is found for somebody; `NO_PAGES` are addresses that answer nobody's eyes.
Together they are all of the portal's, so that a new page cannot stay unmeasured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Places:
    """The numbers that stand in addresses: bills in three states, agreements, bindings."""

    to_pay: int
    waiting: int
    paid: int
    link: str
    plan: int
    standing: int
    ended: int
    access: int
    wish: int
    filing: int


Found = Callable[[Places], list[str]]
STRANGER = {"sign_in", "sign_in_code", "sign_in_whose"}
NOT_FOUND = {"/t/NOWHERE", "/p/nobody-issued-this"}
PAGES: dict[str, Found] = {
    "sign_in": lambda _at: ["/accounts/login"],
    "sign_in_code": lambda _at: ["/accounts/code"],
    "sign_in_whose": lambda _at: ["/accounts/whose"],
    "home": lambda _at: ["/"],
    "help": lambda _at: ["/help"],
    "settings": lambda _at: ["/settings"],
    "messages": lambda _at: ["/messages"],
    "phone_old": lambda _at: ["/accounts/phone/old"],
    "phone_new": lambda _at: ["/accounts/phone"],
    "phone_new_code": lambda _at: ["/accounts/phone/code"],
    "consents": lambda _at: ["/consents"],
    "consent_refused": lambda _at: ["/consents/refused"],
    "consent_show": lambda _at: ["/consents/privacy", "/consents/deduction", "/consents/face"],
    "family": lambda _at: ["/family", "/family?done=bound"],
    "binding_new": lambda _at: ["/family/add"],
    "binding_code": lambda at: [f"/family/add/{at.wish}"],
    "family_end": lambda at: [f"/family/{at.access}/end"],
    "card": lambda _at: ["/code"],
    "insurance_code": lambda _at: ["/code/insurance"],
    "family_insurance": lambda _at: ["/family/insurance"],
    "insurance_rights": lambda _at: ["/insurance"],
    "filing_new": lambda _at: ["/insurance/filing", "/insurance/filing?way=long_term"],
    "filing_show": lambda at: [f"/insurance/filings/{at.filing}"],
    "filing_end": lambda at: [f"/insurance/filings/{at.filing}/end"],
    "tag": lambda _at: ["/t/W3", "/t/NOWHERE"],
    "invoice_show": lambda at: [at.link],
    "invoice_pay": lambda at: [f"{at.link}/pay"],
    "invoice_code": lambda at: [f"{at.link}/code"],
    "invoice_result": lambda at: [f"{at.link}/result"],
    "invoice_window": lambda at: [f"{at.link}/window", "/p/nobody-issued-this"],
    "bills": lambda _at: ["/bills", "/bills?state=to_pay", "/bills?ask=month", "/bills?ask=state"],
    "bill_show": lambda at: [f"/bills/{pk}" for pk in (at.to_pay, at.waiting, at.paid)],
    "bill_pay": lambda at: [f"/bills/{at.to_pay}/pay"],
    "bill_code": lambda at: [f"/bills/{at.waiting}/code"],
    "bill_result": lambda at: [f"/bills/{pk}/result" for pk in (at.waiting, at.paid)],
    "bill_window": lambda at: [f"/bills/{at.to_pay}/window"],
    "bill_rating": lambda at: [f"/bills/{at.paid}/rating", f"/bills/{at.paid}/rating?grade=2"],
    "agreements": lambda _at: ["/agreements"],
    "agreement_new": lambda _at: ["/agreements/new"],
    "agreement_form": lambda at: [f"/agreements/new/{at.plan}"],
    "agreement_show": lambda at: [f"/agreements/{pk}" for pk in (at.standing, at.ended)],
    "agreement_result": lambda at: [f"/agreements/{at.standing}/result"],
    "agreement_people": lambda at: [f"/agreements/{at.standing}/people"],
    "agreement_limits": lambda at: [f"/agreements/{at.standing}/limits"],
    "agreement_end": lambda at: [f"/agreements/{at.standing}/end"],
    "agreement_deductions": lambda at: [f"/agreements/{at.standing}/deductions"],
}
NO_PAGES = {
    # Machines and files.
    "healthz", "api_schema", "notice", "dev_clock", "bill_receipt",
    # A press that leads to a page above.
    "mode_set", "sign_in_again", "sign_in_wallet", "sign_in_back", "sign_out", "binding_again",
    "binding_drop", "family_grant", "family_pays", "agreement_switch", "agreement_first",
    "insurance_code_ask", "insurance_code_back", "insurance_rights_ask", "family_insurance_pays",
    "bill_insured", "bill_insured_back", "centre_notice",
    # Shown once: measured on the way there, in `steps`.
    "consent_first", "agreement_sign",
    # The staff's own rooms.
    "staff_login", "staff_second_factor", "staff_passkeys",
}  # fmt: skip


def names_of_addresses() -> set[str]:
    """Every address outside the staff's rooms and the HIS's contract."""
    return set(_names(get_resolver().url_patterns, ""))


def _names(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for one in patterns:
        path = f"{before}{one.pattern}"
        if isinstance(one, URLPattern):
            yield one.name or f"unnamed {path}"
        elif not path.startswith(("admin", "api/")):
            yield from _names(one.url_patterns, path)
