"""What each group of staff may do: one literal table, brought to the database by `roles_sync`.

A permission is a named verb. Nobody gets add, change or delete on a row of money.
"""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission

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
READ_CALLS = ("core.view_outboundcall", "billing.view_paymentnotice", "billing.view_hisevent")
READ_TRAILS = (*READ_CALLS, "core.view_statechange", "core.view_auditevent")
READ_RATINGS = ("billing.view_rating",)
READ_MESSAGES = ("patients.view_notification",)
READ_PARTNERS = (
    "billing.view_merchant",
    "billing.view_paymentinstitution",
    "billing.view_agreementplan",
    "patients.view_campus",
)
ROLES: dict[str, tuple[str, ...]] = {
    "cashier": (
        *READ_BILLS,
        "patients.view_patientmerge",
        "patients.propose_patientmerge",
        "patients.reveal_patient",
        "billing.collect_invoice",
        "billing.pass_over_tender",
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
        *READ_CALLS,
        *READ_RATINGS,
        "patients.reveal_patient",
        "billing.decide_billingreview",
        "patients.change_patientreview",
        "patients.view_patientmerge",
        "patients.decide_patientmerge",
    ),
    "finance": (
        *READ_BILLS,
        *READ_BOOKS,
        *READ_CALLS,
        *READ_PARTNERS,
        *READ_RATINGS,
        "billing.view_billingreview",
    ),
    "auditor": (
        *READ_BILLS,
        *READ_BOOKS,
        *READ_TRAILS,
        *READ_REVIEWS,
        *READ_MESSAGES,
        *READ_PARTNERS,
        *READ_RATINGS,
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


def roles_sync() -> None:
    """Make the groups as the table says; what it does not name is taken away."""
    wanted = {name for names in ROLES.values() for name in names}
    known = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in Permission.objects.select_related("content_type")
    }
    missing = wanted - known.keys()
    if missing:
        raise LookupError(f"roles name unknown permissions: {sorted(missing)}")
    for role, names in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names])
