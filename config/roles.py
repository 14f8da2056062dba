"""What each group of staff may do: one literal table, brought to the database by `roles_sync`.

`manage.py sync_roles` calls it at every deploy, the demo at every start.
"""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import gettext as _

from core.actors import Actor, ActorKind
from core.audit import record
from core.errors import Conflict

DEPLOY = Actor(ActorKind.SYSTEM, "deploy", "")

READ_BILLS = (
    "billing.view_invoice",
    "billing.view_invoiceline",
    "billing.view_chargeitem",
    "billing.view_payment",
    "billing.view_paymenttransaction",
    "billing.view_invoicereturn",
    "billing.view_agreement",
    "billing.view_shift",
    "ledger.view_posting",
    "patients.view_patient",
    "patients.view_encounter",
    "patients.view_identifier",
    "patients.search_patient",
)
READ_BOOKS = (
    "ledger.view_ledgeraccount",
    "ledger.view_journalentry",
    "ledger.view_closedday",
)
READ_REVIEWS = ("billing.view_billingreview", "patients.view_patientreview")
READ_CALLS = (
    "core.view_outboundcall",
    "billing.view_paymentnotice",
    "billing.view_hisevent",
    "insurance.view_insurancemessage",
)
READ_TRAILS = (*READ_CALLS, "core.view_statechange", "core.view_auditevent")
READ_CLAIMS = (
    "insurance.view_claim",
    "insurance.view_insurancereview",
    "insurance.view_insurerstatement",
    "insurance.view_statementdifference",
    "insurance.view_mobileorder",
    "billing.view_mixedorder",
)
READ_FILINGS = ("insurance.view_filing", "insurance.view_entitlement")
READ_LOSSES = ("billing.view_fundloss",)
READ_RATINGS = ("billing.view_rating",)
READ_MESSAGES = ("patients.view_notification",)
READ_PARTNERS = (
    "billing.view_merchant",
    "billing.view_paymentinstitution",
    "billing.view_agreementplan",
    "patients.view_campus",
    "insurance.view_insuranceregion",
    "insurance.view_institution",
    "insurance.view_catalogueitem",
)
ROLES: dict[str, tuple[str, ...]] = {
    "cashier": (
        *READ_BILLS,
        "patients.view_patientmerge",
        "patients.propose_patientmerge",
        "patients.reveal_patient",
        "billing.collect_invoice",
        "billing.pass_over_tender",
        *READ_FILINGS,
        "insurance.file_filing",
    ),
    "refund_clerk": (
        *READ_BILLS,
        "patients.reveal_patient",
        # Whoever takes money at a window ends nobody's way of paying.
        "patients.end_binding",
        "billing.end_agreement",
        "billing.return_invoice",
        "billing.view_billingreview",
    ),
    # Who decides neither collects nor asks for returns; the services compare the people as well.
    "reviewer": (
        *READ_BILLS,
        *READ_REVIEWS,
        *READ_CLAIMS,
        *READ_FILINGS,
        *READ_CALLS,
        *READ_RATINGS,
        *READ_LOSSES,
        "patients.reveal_patient",
        "billing.decide_billingreview",
        "billing.decide_fundloss",
        "insurance.decide_insurancereview",
        "patients.change_patientreview",
        "patients.view_patientmerge",
        "patients.decide_patientmerge",
    ),
    "finance": (
        *READ_BILLS,
        *READ_BOOKS,
        *READ_CLAIMS,
        *READ_FILINGS,
        *READ_CALLS,
        *READ_PARTNERS,
        *READ_RATINGS,
        *READ_LOSSES,
        "billing.record_fundloss",
        "billing.view_billingreview",
        "insurance.import_items",
    ),
    "auditor": (
        *READ_BILLS,
        *READ_BOOKS,
        *READ_CLAIMS,
        *READ_FILINGS,
        *READ_TRAILS,
        *READ_REVIEWS,
        *READ_MESSAGES,
        *READ_PARTNERS,
        *READ_RATINGS,
        *READ_LOSSES,
    ),
    # Runs the machines: sees no bill and no patient.
    "it": (
        *READ_TRAILS,
        *READ_MESSAGES,
        *READ_PARTNERS,
        "core.view_jobrun",
        "patients.view_hisclient",
        "patients.view_location",
        "patients.add_location",
        "patients.change_location",
        "patients.view_tagtouch",
        "django_celery_beat.view_periodictask",
        "django_celery_beat.change_periodictask",
    ),
}


def roles_sync(*, by: Actor = DEPLOY, dry_run: bool = False) -> dict[str, dict[str, list[str]]]:
    """Make the groups as the table says; what it does not name is taken away. Groups of the
    hospital's own stay as they are. Answers, per group that differs, what it gains and loses."""
    known = _permissions()
    wanted = {name for names in ROLES.values() for name in names}
    if missing := sorted(wanted - known.keys()):
        names = ", ".join(missing)
        raise Conflict("unknown_permissions", _("Run migrate first: unknown rights %s.") % names)
    with transaction.atomic():
        groups = {row.name: row for row in Group.objects.filter(name__in=ROLES)}
        changes = {
            role: change
            for role, names in ROLES.items()
            if (change := _change(groups.get(role), set(names))) is not None
        }
        for role in () if dry_run else changes:
            group, _made = Group.objects.get_or_create(name=role)
            group.permissions.set([known[name] for name in ROLES[role]])
            record(
                by=by,
                action="group_set",
                subject="auth.group",
                subject_id=group.pk,
                detail={"name": role, **changes[role]},
            )
    return changes


def _permissions() -> dict[str, Permission]:
    return {_named(row): row for row in Permission.objects.select_related("content_type")}


def _named(row: Permission) -> str:
    return f"{row.content_type.app_label}.{row.codename}"


def _change(group: Group | None, wanted: set[str]) -> dict[str, list[str]] | None:
    """What the group gains and loses; None when it is as it should be."""
    rows = group.permissions.select_related("content_type") if group else ()
    held = {_named(row) for row in rows}
    if group is not None and held == wanted:
        return None
    return {"gains": sorted(wanted - held), "loses": sorted(held - wanted)}
