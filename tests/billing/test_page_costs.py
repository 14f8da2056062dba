"""Every address of the patients' side, for a family of five with 40 bills each: at most twelve
statements, and a page with its files at most 100 KB as they travel."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Invoice, PaymentTransaction
from billing.services.collecting.pay_links import pay_link_offer
from core import clock
from core.models import User
from insurance.models import FamilyRule, Institution, InsuranceRegion
from patients.actors import patient_actor
from patients.models import Binding, Location, Notification, Patient, PhoneCode, UserPhone
from patients.services.consents import consent_give
from patients.services.notifications import Message, notifications_queue
from patients.views.phone import LEAVE
from tests.billing.portal_house import bill, family, ordered, paid, signed_in
from tests.e2e.demo.pages import NO_PAGES, NOT_FOUND, PAGES, STRANGER, Places, names_of_addresses
from tests.factories import patients as people
from tests.factories import payments
from tests.insurance import factories as insurance

pytestmark = pytest.mark.django_db
BILLS, PAID, RUNNING = 40, 10, 2
STATEMENTS_MAX = 12
BYTES_MAX = 100_000
ASSET = re.compile(r'(?:href|src)="/static/([^"?]+)"')
# By a link these show an order that is open.
OPEN = {"invoice_code", "invoice_result"}
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


@dataclass
class House:
    """Somebody with four relatives, agreements, messages and a wish, and where they all are."""

    user: User
    at: Places
    signing: int
    running: str


@pytest.fixture
def house() -> House:
    user, own, mother = family()
    UserPhone.objects.create(user=user, phone="13900000003", verified_at=clock.now())
    relatives = [own, mother, *(people.patient() for _ in range(3))]
    for one in relatives[2:]:
        access = payments.access(one, user, "other", may_view=True)
    for one in relatives:
        bills_of(one, user)
    agreements = [payments.agreement(own, user, plan=plan) for plan in plans()[:3]]
    ended, signing = agreements[1:]
    ended.status, ended.ended_how, ended.ended_at = "ENDED", "holder", clock.now()
    signing.status, signing.signed_at = "SIGNING", None
    ended.save(), signing.save()
    consent_give(user=user, purpose="deduction", by=patient_actor(user))
    tell(user, own)
    insured_here()
    insurance.coverage(own)
    Location.objects.create(
        code="W3", name="3 号窗口", campus=people.campus(), kind="window", created_at=clock.now()
    )
    found = {state: Invoice.objects.filter(status=state, patient=own) for state in
             ("ISSUED", "PAID", "COLLECTING")}  # fmt: skip
    to_pay = found["ISSUED"].earliest("pk")
    places = Places(
        to_pay=to_pay.pk,
        waiting=found["COLLECTING"].earliest("pk").pk,
        paid=found["PAID"].earliest("pk").pk,
        link=f"/p/{pay_link_offer(invoice=to_pay).token}",
        plan=plans()[3].pk,
        standing=agreements[0].pk,
        ended=ended.pk,
        access=access.pk,
        wish=wish(user).pk,
        filing=insurance.filing(own, Institution.objects.get()).pk,
    )
    running = pay_link_offer(invoice=found["COLLECTING"].earliest("pk"))
    return House(user, places, signing.pk, f"/p/{running.token}")


def bills_of(patient: Patient, user: User) -> None:
    """Forty bills: some paid by this user, two on the way with a code open, the others to pay."""
    for place in range(BILLS):
        one = bill(patient, *range(100, 105), category="09")
        if place < PAID:
            paid(one, payer_id=user.pk)
        elif place < PAID + RUNNING:
            until = (clock.now() + timedelta(minutes=5)).isoformat()
            action = {"type": "qr", "value": "weixin://wxpay/x", "expires_at": until}
            row = ordered(one)
            PaymentTransaction.objects.filter(pk=row.pk).update(status="PENDING", action=action)


def insured_here() -> None:
    """The hospital has its contract with the insurer, with a wallet and family accounts."""
    here = insurance.institution()
    FamilyRule.objects.create(
        region=here.region, valid_from=clock.today(), child_threshold_fen=400_000, basis="5 %",
        relations=["child", "spouse", "parent"],
    )  # fmt: skip
    InsuranceRegion.objects.update(
        wallet_url="https://wallet.example/code",
        family_accounts=True,
        filing_ways=[{"way": "long_term", "code": "2", "days": 365}],
    )


def plans():
    return [payments.plan(plan_id=str(number), name=f"协议{number}") for number in range(1, 9)]


def tell(user: User, own: Patient) -> None:
    """A page of messages, each about another bill."""
    facts = {"hospital": "云溪市第一医院", "name": "王*明", "amount_fen": 510, "number": "000001"}
    pks = Invoice.objects.filter(status="ISSUED").values_list("pk", flat=True)[:15]
    messages = [Message(f"pay_link/{pk}/1/{user.pk}", "pay_link", user.pk, facts) for pk in pks]
    with transaction.atomic():
        notifications_queue(messages=messages, patient_id=own.pk)
    Notification.objects.filter(user=user).update(status="SENT", sent_at=clock.now())


def wish(user: User) -> Binding:
    now = clock.now()
    until = now + timedelta(minutes=10)
    return Binding.objects.create(
        user=user,
        relation="other",
        name="赵敏",
        id_type="id_card",
        target="t",
        asked_at=now,
        expires_at=until,
        created_at=now,
    )


def asked_for_code(client: Client, purpose: str) -> Client:
    """A browser that asked for a code of this purpose."""
    now = clock.now()
    row = PhoneCode.objects.create(
        phone="13711112222",
        purpose=purpose,
        code_digest="x",
        created_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    session = client.session
    session[f"{purpose}_code"] = row.pk
    if purpose == "change":
        # The old phone's code came back a moment ago.
        session[f"proof_{LEAVE}"] = {"at": now.isoformat(), "fact": int(session["_auth_user_id"])}
    session.save()
    return client


def test_every_page_is_cheap_and_small(house: House) -> None:
    # Given every address that a patient or a stranger reads
    patients = {name for name in names_of_addresses() if not name.startswith("staff_")}
    assert patients - set(PAGES) - NO_PAGES == set()
    own = asked_for_code(signed_in(house.user), "change")
    stranger = asked_for_code(Client(), "sign_in")
    found = {
        address: stranger if name in STRANGER else own
        for name, at in PAGES.items()
        if name != "sign_in_whose"  # opens for a phone long unused alone
        for address in at(replace(house.at, link=house.running) if name in OPEN else house.at)
    }
    found[f"/bills/{house.at.paid}/receipt"] = own
    found[f"/agreements/{house.signing}/result"] = own
    first = Client()
    first.force_login(payments.user())
    found["/consents/first"] = first

    # When each is read once, in both modes
    statements, sizes, files = {}, {}, set()
    for address, client in found.items():
        for mode in ("standard", "elder-1"):
            client.cookies["mode"] = mode
            with CaptureQueriesContext(connection) as seen:
                answer = client.get(address)
            assert answer.status_code == (404 if address in NOT_FOUND else 200), address
            statements[address, mode] = sum(not str(one["sql"]).startswith(CONTROL) for one in seen)
            if address.endswith("/receipt"):
                continue
            named = set(ASSET.findall(answer.content.decode()))
            files |= named
            sizes[address, mode] = packed(answer.content) + sum(map(asset, named))

    # Then none asks or weighs too much
    dear = {at: count for at, count in statements.items() if count > STATEMENTS_MAX}
    heavy = {at: size for at, size in sizes.items() if size > BYTES_MAX}
    assert (dear, heavy) == ({}, {})
    assert len(files) >= 6  # the pages were read with their files


def packed(content: bytes) -> int:
    return len(gzip.compress(content, 6))


def asset(name: str) -> int:
    """What a file of a page weighs on its way."""
    path = finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.)", "", name))
    assert isinstance(path, str), name
    return packed(Path(path).read_bytes())
