"""Questions about people and visits. Nothing here writes."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from core.crypto import blind_index
from core.errors import Forbidden, NotFound
from patients.messengers.registry import wechat_app_id
from patients.models import (
    Campus,
    HisClient,
    Identifier,
    IdentifierKind,
    Messenger,
    Notification,
    Patient,
    PatientAccess,
    Relation,
    UserPhone,
    WalletIdentity,
)

ID_NUMBER_PURPOSE = "patient id number"
PHONE_PURPOSE = "patient phone"


def id_number_index(value: str) -> str:
    """What `Patient.id_number_index` holds for a number; empty for none."""
    return blind_index(value, purpose=ID_NUMBER_PURPOSE) if value.strip() else ""


def phone_index(value: str) -> str:
    """What `Patient.phone_index` holds for a phone; empty for none."""
    return blind_index(value, purpose=PHONE_PURPOSE) if value.strip() else ""


def identifier_find(*, client: HisClient, kind: str, value: str) -> Identifier | None:
    """A number of the hospital with its patient."""
    rows = Identifier.objects.select_related("patient")
    return rows.filter(client=client, kind=kind, value=value).first()


def patient_by_mrn(*, client: HisClient, mrn: str, field: str = "mrn") -> Patient:
    """The person with this medical record number, or NotFound."""
    found = identifier_find(client=client, kind=IdentifierKind.MRN, value=mrn)
    if found is None:
        raise NotFound("unknown_patient", _("No patient has this medical record number."), field)
    return found.patient


def patient_by_card(*, client: HisClient, card_no: str, field: str = "card_no") -> Patient:
    """The person with this visiting card, or NotFound."""
    found = identifier_find(client=client, kind=IdentifierKind.CARD, value=card_no)
    if found is None:
        raise NotFound("unknown_patient", _("No patient has this card."), field)
    return found.patient


def patients_with_id_number(*, id_type: str, id_number: str) -> list[Patient]:
    """Everybody under a certificate number, oldest first; not the records joined to another."""
    index = id_number_index(id_number)
    if not index:
        return []
    rows = Patient.objects.filter(id_type=id_type, id_number_index=index, merged_into=None)
    return list(rows.order_by("pk"))


def campus_for(*, client: HisClient, code: str, field: str = "campus") -> Campus:
    """The campus, if this client registers visits there; else NotFound or Forbidden."""
    own = HisClient.campuses.through.objects.filter(hisclient=client)
    rows = Campus.objects.annotate(
        is_own=Exists(own.filter(campus=OuterRef("pk"))), client_is_bound=Exists(own)
    )
    campus = rows.filter(code=code).first()
    if campus is None:
        raise NotFound("unknown_campus", _("No campus has this code."), field)
    if campus.client_is_bound and not campus.is_own:
        raise Forbidden(
            "foreign_campus", _("This token does not register visits at this campus."), field
        )
    return campus


def notification_addresses(row: Notification) -> list[tuple[str, str]]:
    """The ways to reach a message's receiver, best first: openid, own phone, account's phone."""
    if row.user_id is None:
        phone = row.patient.phone if row.patient is not None else ""
        return [(Messenger.SMS, phone)] if phone else []
    openids = WalletIdentity.objects.filter(user=row.user_id, app_id=wechat_app_id())
    ways = [
        (str(Messenger.WECHAT_TEMPLATE), subject)
        for subject in openids.order_by("pk").values_list("subject", flat=True)[:1]
    ]
    own = PatientAccess.objects.filter(
        user=row.user_id, relation=Relation.SELF, ended_at__isnull=True
    )
    phones = [access.patient.phone for access in own.select_related("patient").order_by("pk")[:1]]
    account = UserPhone.objects.filter(user=row.user_id).first()
    phones += [account.phone] if account is not None else []
    ways += [(str(Messenger.SMS), phone) for phone in phones if phone][:1]
    return ways
