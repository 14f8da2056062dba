"""Made-up patients with valid ID numbers that belong to nobody, their wallets and agreements.

The numbers carry the code of a prefecture (330300), under which no person is ever registered.
Agreements are really signed: the wallet signs at the sandbox, and the portal asks the channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from stdnum.iso7064 import mod_11_2

from billing.models import Agreement, AgreementPlan, AgreementStatus, Merchant
from billing.services.agreements.answers import agreement_refresh
from billing.services.agreements.signing import agreement_sign_begin
from billing.services.agreements.terms import Limits
from config.demo.alipay import wallet_load
from config.demo.insured import person_insure
from config.demo.sandbox_client import SandboxError, sandbox_act
from core import clock
from core.actors import SYSTEM
from core.crypto import mask_name
from core.models import User
from patients.actors import patient_actor
from patients.messengers.registry import wechat_app_id
from patients.models import (
    Consent,
    ConsentPurpose,
    HisClient,
    Identifier,
    IdentifierKind,
    Patient,
    PatientAccess,
    Relation,
    UserPhone,
    WalletIdentity,
)
from patients.services.consents import consent_give
from patients.services.patients import PatientInput, patient_register

RICH_FEN = 100_000_000_00
POOR_FEN = 12_345


@dataclass(frozen=True, slots=True)
class Person:
    """`plan` is the agreement's template: wide, normal (the channel's defaults) or none."""

    mrn: str
    name: str
    sex: str
    born: date
    plan: str = "100001"
    balance_fen: int = RICH_FEN
    guardian: str = ""


PEOPLE = (
    Person("P0001", "陈秀兰", "female", date(1953, 3, 12)),
    Person("P0002", "李建国", "male", date(1949, 10, 1)),
    Person("P0003", "王芳", "female", date(1982, 6, 18)),
    Person("P0004", "张伟", "male", date(1979, 1, 25)),
    Person("P0005", "刘洋", "male", date(1991, 8, 30)),
    Person("P0006", "赵敏", "female", date(1995, 12, 5)),
    Person("P0007", "孙丽华", "female", date(1968, 4, 22)),
    Person("P0008", "周国强", "male", date(1958, 11, 9)),
    Person("P0009", "吴婷", "female", date(1988, 2, 14)),
    Person("P0010", "郑浩", "male", date(2001, 7, 7)),
    Person("P0011", "钱学文", "male", date(1945, 5, 20), plan="100002"),
    Person("P0012", "冯雪", "female", date(1986, 9, 3), plan="100002"),
    Person("P0013", "蒋丽萍", "female", date(1972, 3, 8), plan=""),
    Person("P0014", "沈志明", "male", date(1963, 12, 12), plan=""),
    Person("P0015", "韩梅", "female", date(1990, 10, 10), balance_fen=POOR_FEN),
    Person("P0016", "王小宝", "male", date(2019, 6, 1), plan="", guardian="P0003"),
)


def people_load() -> list[dict[str, Any]]:
    """Load or find everybody; returns what `var/demo.json` says of them."""
    client = HisClient.objects.get(code="his")
    return [_person(person, client, place) for place, person in enumerate(PEOPLE, start=1)]


def _person(person: Person, client: HisClient, place: int) -> dict[str, Any]:
    id_no, phone = id_number(person, place), f"1390000{place:04d}"
    patient = patient_register(
        client=client,
        mrn=person.mrn,
        data=PatientInput(
            name=person.name,
            id_type="id_card",
            id_number=id_no,
            birth_date=person.born,
            sex=person.sex,
            phone=phone,
            guardian_mrn=person.guardian,
        ),
        by=SYSTEM,
    ).patient
    card_no = f"C33{place:08d}"
    Identifier.objects.get_or_create(
        client=client,
        kind=IdentifierKind.CARD,
        value=card_no,
        defaults={"patient": patient, "created_at": clock.now()},
    )
    if person.guardian:
        holder = User.objects.get(username=f"user-{person.guardian}")
        _bind(holder, patient, Relation.CHILD)
        for agreement in Agreement.objects.filter(holder=holder):
            agreement.pays_for.get_or_create(patient=patient, defaults={"created_at": clock.now()})
    else:
        _payer(person, patient, phone)
    insured = person_insure(
        person.mrn,
        id_no=id_no,
        name=person.name,
        sex=person.sex,
        born=person.born,
        phone=phone,
        known={one.mrn: id_number(one, at) for at, one in enumerate(PEOPLE, start=1)},
    )
    return _told(person, patient, card_no, phone, id_no) | {"insured": insured}


def _payer(person: Person, patient: Patient, phone: str) -> None:
    user, _made = User.objects.get_or_create(username=f"user-{person.mrn}")
    _account(user, phone, signed=bool(person.plan))
    _bind(user, patient, Relation.SELF)
    openid = f"oDemo{person.mrn}"
    merchants = Merchant.objects.filter(channel="wechat_pay").order_by("pk")
    merchant = merchants[0]
    # One wallet, two apps: the merchant's, and the official account that writes the messages.
    for channel, app_id in (
        ("wechat_pay", merchant.app_id),
        ("wechat_template", wechat_app_id()),
    ):
        WalletIdentity.objects.get_or_create(
            channel=channel,
            app_id=app_id,
            subject=openid,
            defaults={"user": user, "created_at": clock.now()},
        )
    if not _wallet_known(openid):
        sandbox_act(
            "payer",
            "create_wallet",
            openid,
            name=person.name,
            phone=phone,
            balance_fen=person.balance_fen,
        )
    wallet_load(
        user=user,
        number=int(person.mrn[1:]),
        name=person.name,
        phone=phone,
        balance_fen=person.balance_fen,
    )
    # Who ended an agreement in an earlier run has none: a start signs for nobody again.
    signed = Agreement.objects.filter(holder=user).exclude(status=AgreementStatus.SIGNING)
    if person.plan and not signed.exists():
        _sign(user, patient, merchant, person.plan, openid)


def _account(user: User, phone: str, *, signed: bool) -> None:
    """The phone that opens the account. Whoever signed an agreement was asked before; the others
    see the first visit as it is. A consent is given once: who withdrew it keeps it withdrawn."""
    if not user.has_usable_password() and not user.password:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    UserPhone.objects.get_or_create(
        user=user, defaults={"phone": phone, "verified_at": clock.now()}
    )
    if signed:
        asked = {ConsentPurpose.PRIVACY, ConsentPurpose.DEDUCTION}
        answered = Consent.objects.filter(user=user).values_list("purpose", flat=True)
        for purpose in sorted(asked - set(answered)):
            consent_give(user=user, purpose=purpose, by=patient_actor(user))


def _wallet_known(openid: str) -> bool:
    """Whether an earlier run made this wallet; its money is the person's, not ours to reset."""
    try:
        sandbox_act("payer", "show_wallet", openid)
    except SandboxError:
        return False
    return True


def _sign(user: User, patient: Patient, merchant: Merchant, plan_id: str, openid: str) -> None:
    plan = AgreementPlan.objects.get(merchant=merchant, plan_id=plan_id)
    agreement = agreement_sign_begin(
        user=user,
        plan_id=plan.pk,
        patient_ids=[patient.pk],
        limits=Limits(),
        text_hash="",
        by=patient_actor(user),
    )
    sandbox_act(
        "payer",
        "sign",
        openid,
        mchid=merchant.merchant_no,
        plan_id=plan_id,
        contract_code=agreement.contract_code,
        request_serial=str(agreement.pk),
        display_account=mask_name(patient.name),
        notify_url=f"{settings.PORTAL_URL}/notices/wechat_pay/{merchant.merchant_no}/agreement",
    )
    agreement_refresh(agreement_id=agreement.pk)


def _bind(user: User, patient: Patient, relation: str) -> None:
    PatientAccess.objects.get_or_create(
        user=user,
        patient=patient,
        ended_at=None,
        defaults={
            "relation": relation,
            # A guardian sees by being it.
            "may_view": relation != Relation.CHILD,
            "may_pay": True,
            "created_at": clock.now(),
        },
    )


def _told(person: Person, patient: Patient, card_no: str, phone: str, id_no: str) -> dict[str, Any]:
    payers = Agreement.objects.filter(
        pays_for__patient=patient, pays_for__active=True, status=AgreementStatus.ACTIVE
    )
    told: dict[str, Any] = {
        "mrn": person.mrn,
        "card_no": card_no,
        "name": person.name,
        "phone": phone,
        "id_no": id_no,
        "agreements": sorted(set(payers.values_list("plan__merchant__channel", flat=True))),
        "credit": False,
    }
    if person.plan == "100002" or person.balance_fen == POOR_FEN:
        told["low_limit"] = True
    if person.guardian:
        told["guardian_mrn"] = person.guardian
    return told


def id_number(person: Person, place: int) -> str:
    """18 digits with a right check digit (GB 11643); odd sequence numbers are men's."""
    sequence = place * 2 + (1 if person.sex == "male" else 0)
    body = f"330300{person.born:%Y%m%d}{sequence:03d}"
    return body + mod_11_2.calc_check_digit(body)
