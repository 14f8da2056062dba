"""What stands at the left of every page of the staff's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import pay_right
from billing.desk.questions import open_count
from billing.selectors.losses import losses_waiting
from insurance.selectors import reviews_waiting


def hospital_name(_request: HttpRequest) -> str:
    """Over the sidebar stands whose house this is; the product's name only until it is known."""
    return pay_right.hospital().name or gettext("Hospital billing")


@dataclass(frozen=True, slots=True)
class Entry:
    """One address, for whoever holds the right; `waiting` counts what lies behind it."""

    title: Promise
    icon: str
    address: str
    right: str
    waiting: Callable[[], int] | None = None
    active: Callable[[HttpRequest], bool] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    title: Promise
    entries: tuple[Entry, ...]


def _at_desk(request: HttpRequest) -> bool:
    """On the start page, or wherever a search led to."""
    at = request.resolver_match
    elsewhere = ("desk/reviews", "desk/merges")
    return (
        at is not None
        and (at.url_name or "").startswith("desk_")
        and not any(part in at.route for part in elsewhere)
    )


GROUPS = (
    Group(_("Window"), (
        Entry(_("Patient desk"), "search", "admin:index", "patients.search_patient",
              active=_at_desk),
        Entry(_("Bills"), "receipt_long", "admin:billing_invoice_changelist",
              "billing.view_invoice"),
    )),
    Group(_("Review"), (
        Entry(_("Reviews"), "fact_check", "desk_reviews",
              "billing.view_billingreview", waiting=open_count),
        Entry(_("Joined records"), "merge", "desk_merges", "patients.view_patientmerge"),
    )),
    Group(_("Patients' word"), (
        Entry(_("Ratings"), "star", "admin:billing_rating_changelist", "billing.view_rating"),
    )),
    Group(_("Accounts"), (
        Entry(_("Payments"), "payments", "admin:billing_paymenttransaction_changelist",
              "billing.view_paymenttransaction"),
        Entry(_("Returns"), "undo", "admin:billing_invoicereturn_changelist",
              "billing.view_invoicereturn"),
        Entry(_("Ledger"), "menu_book", "admin:ledger_journalentry_changelist",
              "ledger.view_journalentry"),
        Entry(_("Accounts of the ledger"), "account_balance",
              "admin:ledger_ledgeraccount_changelist", "ledger.view_ledgeraccount"),
        Entry(_("Shifts"), "schedule", "admin:billing_shift_changelist", "billing.view_shift"),
        Entry(_("Agreements"), "handshake", "admin:billing_agreement_changelist",
              "billing.view_agreement"),
    )),
    Group(_("Medical insurance"), (
        Entry(_("Insurance reviews"), "gavel",
              "admin:insurance_insurancereview_changelist", "insurance.view_insurancereview",
              waiting=reviews_waiting),
        Entry(_("Claims"), "health_and_safety", "admin:insurance_claim_changelist",
              "insurance.view_claim"),
        Entry(_("Filings"), "assignment", "admin:insurance_filing_changelist",
              "insurance.view_filing"),
        Entry(_("Entitlements"), "verified_user", "admin:insurance_entitlement_changelist",
              "insurance.view_entitlement"),
        Entry(_("Orders at the mobile-pay centre"), "phone_iphone",
              "admin:insurance_mobileorder_changelist", "insurance.view_mobileorder"),
        Entry(_("Orders of insurance and wallet"), "account_balance_wallet",
              "admin:billing_mixedorder_changelist", "billing.view_mixedorder"),
        Entry(_("Comparisons with the insurer"), "balance",
              "admin:insurance_insurerstatement_changelist", "insurance.view_insurerstatement"),
        Entry(_("Differences from the insurer"), "difference",
              "admin:insurance_statementdifference_changelist",
              "insurance.view_statementdifference"),
        Entry(_("Fund losses"), "assignment_late",
              "admin:billing_fundloss_changelist", "billing.view_fundloss",
              waiting=losses_waiting),
        Entry(_("Items of the hospital"), "list_alt",
              "admin:insurance_catalogueitem_changelist", "insurance.view_catalogueitem"),
        Entry(_("Insured institutions"), "local_hospital",
              "admin:insurance_institution_changelist", "insurance.view_institution"),
        Entry(_("Insurance regions"), "public",
              "admin:insurance_insuranceregion_changelist", "insurance.view_insuranceregion"),
        Entry(_("Messages to the insurer"), "forum",
              "admin:insurance_insurancemessage_changelist", "insurance.view_insurancemessage"),
    )),
    Group(_("System"), (
        Entry(_("Look-ups and acts"), "visibility", "admin:core_auditevent_changelist",
              "core.view_auditevent"),
        Entry(_("Calls to the outside"), "call_made", "admin:core_outboundcall_changelist",
              "core.view_outboundcall"),
        Entry(_("Notices of the channels"), "move_to_inbox",
              "admin:billing_paymentnotice_changelist", "billing.view_paymentnotice"),
        Entry(_("Events to the HIS"), "outbox", "admin:billing_hisevent_changelist",
              "billing.view_hisevent"),
        Entry(_("Messages"), "sms", "admin:patients_notification_changelist",
              "patients.view_notification"),
        Entry(_("State changes"), "timeline", "admin:core_statechange_changelist",
              "core.view_statechange"),
        Entry(_("Jobs"), "event_repeat", "admin:django_celery_beat_periodictask_changelist",
              "django_celery_beat.view_periodictask"),
        Entry(_("Job runs"), "history", "admin:core_jobrun_changelist", "core.view_jobrun"),
        Entry(_("Merchants"), "storefront", "admin:billing_merchant_changelist",
              "billing.view_merchant"),
        Entry(_("Tags"), "nfc", "admin:patients_location_changelist", "patients.view_location"),
        Entry(_("HIS clients"), "key", "admin:patients_hisclient_changelist",
              "patients.view_hisclient"),
        Entry(_("Users"), "group", "admin:core_user_changelist", "core.view_user"),
        Entry(_("Second factors"), "phonelink_lock", "admin:mfa_authenticator_changelist",
              "mfa.view_authenticator"),
        Entry(_("Groups"), "badge", "admin:auth_group_changelist", "auth.view_group"),
    )),
)  # fmt: skip


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """What a member of staff may open, grouped; a count stands only where something waits."""
    may = request.user.has_perm
    return [
        {
            "title": group.title,
            "items": [_shown(entry) for entry in group.entries if may(entry.right)],
        }
        for group in GROUPS
    ]


def _shown(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": entry.title,
        "icon": entry.icon,
        "link": reverse_lazy(entry.address),
    }
    waiting = entry.waiting() if entry.waiting is not None else 0
    if waiting:
        shown |= {"badge": waiting, "badge_variant": "warning"}
    return shown | ({"active": entry.active} if entry.active else {})
