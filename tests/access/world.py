"""Two families and their things, in every state that has pages of its own.

Everything personal is told apart by one glance: `secrets` lists each value that is somebody's, so
that a page or a log can be searched for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from billing.ledger.models import ClosedDay
from billing.models import Agreement, Invoice, PaymentNotice, Rating, ReviewReason
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.return_lines import ReturnInput
from billing.services.refunding.returns import return_request
from billing.services.reviews import review_open
from config.jobs import schedule_sync
from config.roles import roles_sync
from core import clock
from core.actors import SYSTEM, Actor
from core.models import JobRun, OutboundCall, User
from core.second_factor import second_factor_enrol, second_factor_secret
from patients.actors import patient_actor
from patients.models import (
    Binding,
    Identifier,
    Location,
    Notification,
    Patient,
    PatientReview,
    TagTouch,
    WalletIdentity,
)
from patients.services.access import access_end
from patients.services.merges import patient_merge_propose
from tests.billing import portal_house
from tests.factories import accounts, billing, insured, payments
from tests.factories import patients as people
from tests.insurance import factories as insurance

CASHIER = Actor("staff", "cashier9", "另一个收费员")
TOKENS = {"A": "token-of-the-hospital-Q7", "B": "token-of-the-clinic-Z4"}


@dataclass(frozen=True, slots=True)
class Family:
    """One letter's people, and what is secret about the patient."""

    letter: str
    patient: Patient
    user: User
    name: str
    id_number: str
    phone: str
    card: str
    mrn: str


@dataclass(slots=True)
class World:
    """`things` answers an address's parameters: `A.bill` -> {"invoice_id": 7, "token": ...}."""

    families: dict[str, Family]
    users: dict[str, User]
    things: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    # Rows of the admin's tables that hold something to hide, where the newest does not.
    telling: dict[str, int] = field(default_factory=dict)


def world() -> World:
    made = World({}, {})
    people.campus(name="云溪市第一医院", window_text="门诊楼 1 层", phone="0500-8612 0000")
    for letter, name, phone in (("A", "诸葛秀芝", "13812345671"), ("B", "慕容海涛", "13998765432")):
        made.families[letter] = _family(made, letter, name, phone)
        _bills(made, letter)
        _agreements(made, letter)
        _wishes(made, letter)
    _relatives(made)
    _staffs(made)
    _trails(made)
    _rows(made)
    made.things |= {
        "doors": {"door": "wechat"},
        "unknown": {"door": "nowhere", "purpose": "nothing", "code": "NOTAG", "token": "x" * 43},
        "consent": {"purpose": "deduction"},
        "notice": {"channel": "wechat_pay", "merchant_no": "1900000001", "kind": "capture"},
        "centre": {"institution_code": "H00000000000"},
    }
    return made


def _family(made: World, letter: str, name: str, phone: str) -> Family:
    serial = ord(letter)
    token = TOKENS[letter]
    client = people.his_client(f"his-{letter.lower()}", token, name=f"门诊系统{letter}")
    number = people.id_number(serial * 7, region="330326")
    mrn, card = f"00418{serial}276", f"88{serial}00{serial}1234"
    patient = people.patient(mrn, client, number=number, name=name, phone=phone)
    Identifier.objects.create(
        client=client, patient=patient, kind="card", value=card, created_at=clock.now()
    )
    user = accounts.patient_user(phone, consents=("privacy", "deduction"))
    payments.access(patient, user)
    openid = f"oOpen{letter}x7Kq93LmVtR2"
    WalletIdentity.objects.create(
        user=user, channel="wechat_pay", app_id="wx0001", subject=openid, created_at=clock.now()
    )
    made.users["owner" if letter == "A" else "stranger"] = user
    made.things[f"{letter}.patient"] = {"patient_id": patient.pk, "mrn": mrn}
    made.secrets |= {
        f"{letter}.name": name, f"{letter}.id_number": number, f"{letter}.phone": phone,
        f"{letter}.card": card, f"{letter}.mrn": mrn, f"{letter}.openid": openid,
        f"{letter}.token": token,
    }  # fmt: skip
    return Family(letter, patient, user, name, number, phone, card, mrn)


def _bills(made: World, letter: str) -> None:
    """To pay with a link, running with a code, paid today, and paid so long ago that who may only
    pay does not see it any more."""
    family = made.families[letter]
    client = family.patient.identifiers.get(kind="mrn").client
    payments.merchant()

    def bill(name: str, fen: int) -> Invoice:
        visit = people.encounter(
            f"26112000{letter}{len(made.things)}", client, family.patient,
            department_name=f"肿瘤科{letter}",
            diagnoses=[{"code": "C50.9", "name": f"乳腺癌{letter}"}],
        )  # fmt: skip
        row = billing.invoice(fen, of=visit, invoice_no=f"INV{letter}{name}260001",
                              item_name=f"紫杉醇注射液{letter}")  # fmt: skip
        made.things[f"{letter}.{name}"] = {
            "invoice_id": row.pk, "invoice_no": row.invoice_no,
            "encounter_no": visit.encounter_no, "charge_no": row.lines.get().charge.charge_no,
            "token": "", "mrn": family.mrn, "deposit_no": "D1", "prescription_no": "P1",
            "code": "D001",
        }  # fmt: skip
        return row

    with clock.freeze(clock.now() - timedelta(days=3)):
        portal_house.paid(bill("old", 5_100))
    portal_house.paid(bill("paid", 12_000), payer_id=None)
    portal_house.ordered(bill("running", 6_300))
    offered = bill("bill", 8_640)
    payments.collect(offered, "pay_link")
    invoice_drive(invoice_id=offered.pk)
    offered.refresh_from_db()
    token = str(offered.pay_link.token)
    made.things[f"{letter}.bill"] = {**made.things[f"{letter}.bill"], "token": token}
    made.secrets |= {
        f"{letter}.pay_link": token, f"{letter}.department": f"肿瘤科{letter}",
        f"{letter}.item": f"紫杉醇注射液{letter}", f"{letter}.diagnosis": f"乳腺癌{letter}",
    }  # fmt: skip


def _agreements(made: World, letter: str) -> None:
    family = made.families[letter]
    plan = payments.plan()
    live = payments.agreement(
        family.patient, family.user, plan=plan, contract_id=f"20261120{letter}55501",
        payer_id=made.secrets[f"{letter}.openid"], contract_code=f"CCODE{letter}1",
    )  # fmt: skip
    signing = Agreement.objects.create(
        holder=family.user, plan=plan, contract_code=f"CCODE{letter}2", created_at=clock.now()
    )
    made.things[f"{letter}.agreement"] = {
        "agreement_id": live.pk, "plan_id": plan.pk, "patient_id": family.patient.pk,
    }  # fmt: skip
    of_patient = {**made.things[f"{letter}.patient"], "agreement_id": live.pk}
    made.things[f"{letter}.patient"] = of_patient
    made.things[f"{letter}.signing"] = {
        "agreement_id": signing.pk, "patient_id": family.patient.pk,
    }  # fmt: skip
    made.secrets[f"{letter}.contract_id"] = live.contract_id


def _wishes(made: World, letter: str) -> None:
    """A binding whose code is still to be typed."""
    family = made.families[letter]
    wish = Binding.objects.create(
        user=family.user, relation="parent", name="尉迟明远", id_type="id_card",
        id_number_index="x", target="t", status="WAITING", asked_at=clock.now(),
        expires_at=clock.now() + timedelta(minutes=10), created_at=clock.now(),
    )  # fmt: skip
    made.things[f"{letter}.wish"] = {"binding_id": wish.pk}


def _relatives(made: World) -> None:
    """Who is bound to patient A besides A: one sees, one only pays, one did; and B's payer."""
    patient = made.families["A"].patient
    grants = {"ended": (True, True), "viewer": (True, False), "payer": (False, True)}
    for role, (view, pay) in grants.items():
        user = accounts.patient_user(consents=("privacy", "deduction"))
        row = payments.access(patient, user, "child", may_view=view, may_pay=pay)
        made.users[role] = user
        made.things[f"A.access.{role}"] = {"access_id": row.pk}
        made.things["A.patient"] = {**made.things["A.patient"], "access_id": row.pk}
    ended = made.things["A.access.ended"]["access_id"]
    access_end(user=made.users["ended"], access_id=ended, by=patient_actor(made.users["ended"]))
    made.users["unconsented"] = accounts.patient_user(consents=())
    other = payments.access(
        made.families["B"].patient, accounts.patient_user(), "child", may_view=False
    )
    made.things["B.access"] = {"access_id": other.pk}
    made.things["B.patient"] = {**made.things["B.patient"], "access_id": other.pk}


def _staffs(made: World) -> None:
    """What waits for a decision at the window."""
    a, b = made.families["A"].patient, made.families["B"].patient
    bill = Invoice.objects.get(pk=made.things["A.paid"]["invoice_id"])
    with transaction.atomic():
        case = review_open(reason=ReviewReason.NOT_ENDED, invoice=bill, figures={"failures": 3})
    of_people = PatientReview.objects.create(
        patient=a, other=b, reason_code="same_number_other_name", summary="证件号相同",
        opened_by=SYSTEM.key, opened_at=clock.now(),
    )  # fmt: skip
    twin = people.patient("M-twin", name="诸葛秀芝", phone="13812340000")
    merge = patient_merge_propose(kept_id=a.pk, merged_id=twin.pk, reason="同一个人", by=CASHIER)
    made.things |= {
        "review": {"review_id": case.pk},
        "person_review": {"review_id": of_people.pk},
        "merge": {"merge_id": merge.pk},
    }


def _trails(made: World) -> None:
    """A row of everything else that staff may open."""
    a = made.families["A"]
    secret = made.secrets
    place = Location.objects.create(
        code="W3X9", campus=people.campus(), kind="window", name="3 号窗口", created_at=clock.now()
    )
    TagTouch.objects.create(location=place, user=a.user, created_at=clock.now() - timedelta(days=1))
    made.things["tag"] = {"code": place.code}
    told = Notification.objects.create(
        key="paid/1/sms", kind="paid", messenger="sms", user=a.user, patient=a.patient,
        address=a.phone, link=f"/p/{secret['A.pay_link']}", created_at=clock.now(),
        facts={"hospital": "云溪", "name": "诸**芝", "amount_fen": 8_640, "number": "160233"},
    )  # fmt: skip
    made.telling = {
        "patients.notification": told.pk,
        "billing.agreement": made.things["A.agreement"]["agreement_id"],
    }
    Rating.objects.create(
        invoice_id=made.things["A.old"]["invoice_id"], user=a.user, grade=4, tags=["quick"],
        text="很快", created_at=clock.now(),
    )  # fmt: skip
    PaymentNotice.objects.create(
        channel="wechat_pay", kind="payment", event_no="EV1", number="PT404",
        received_at=clock.now(), merchant=payments.merchant(), outcome="unknown order",
        facts={"amount_fen": 8_640, "outcome": "SUCCEEDED", "closed": False,
               "payer_id": secret["A.openid"], "ground": {"trade_type": "PAP"}},
    )  # fmt: skip
    OutboundCall.objects.create(
        counterparty="wechat_pay", operation="capture", reference="PT1", method="POST",
        url="https://channel.example/pay", status=200, request_sha256="0" * 64, duration_ms=84,
        created_at=clock.now(),
    )  # fmt: skip
    roles_sync()
    JobRun.objects.create(key="sweep_events", outcome="DONE", started_at=timezone.now(), result={})
    second_factor_enrol(user=User.objects.create_user("it2", is_staff=True),
                        secret=second_factor_secret())  # fmt: skip
    ClosedDay.objects.create(
        day=clock.today() - timedelta(days=9), closed_at=clock.now(), entry_count=1,
        posting_count=2, account_count=2, debit_fen=8_640,
    )  # fmt: skip
    place = insurance.shown_rows()
    for letter, family in made.families.items():
        filed = insurance.filing(family.patient, place)
        made.things[f"{letter}.filing"] = {"filing_id": filed.pk}
    _money_back(made)
    insured.shown_rows(place)
    schedule_sync()


def _money_back(made: World) -> None:
    """A bill taken in cash by a cashier's shift, and a return that is asked for."""
    client = made.families["B"].patient.identifiers.get(kind="mrn").client
    bill = billing.invoice(4_200, of=people.encounter("E-cash", client, made.families["B"].patient))
    payments.collect(bill, "cash")
    invoice_drive(invoice_id=bill.pk)
    line = bill.lines.get()
    return_request(
        client=client, invoice_no=bill.invoice_no, refund_no="RT-B1", reason="未做检查",
        lines=[ReturnInput(line.charge.charge_no, line.charge.quantity, line.amount_fen)],
        operator=CASHIER, approver=None, input_hash="",
    )  # fmt: skip


def _rows(made: World) -> None:
    """The newest row of every table that the admin lists."""
    for model in admin.site._registry:
        row = model._default_manager.order_by("-pk").first()
        assert row is not None, f"the world has no {model._meta.label}"
        label = f"{model._meta.app_label}.{model._meta.model_name}"
        made.things[f"row.{label}"] = {"object_id": row.pk, "id": row.pk}
    for label, name in made.telling.items():
        made.things[f"row.{label}"] = {"object_id": name}
    kind = ContentType.objects.get_for_model(Invoice)
    made.things["row.any"] = {"content_type_id": kind.pk, "object_id": 1}
