"""What stands at the left of every page of the staff's side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import pay_door
from billing.desk.questions import open_count


def hospital_name(_request: HttpRequest) -> str:
    """Over the sidebar stands whose house this is; the product's name only until it is known."""
    return pay_door.hospital().name or gettext("Hospital billing")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """What a member of staff may open, grouped; a count stands only where something waits."""
    may = request.user.has_perm
    waiting = open_count() if may("billing.view_billingreview") else 0
    return [
        _group(_("Window"), (
            _item(_("Patient desk"), "search", "admin:index", may("patients.search_patient"),
                  active=_at_desk),
            _item(_("Bills"), "receipt_long", "admin:billing_invoice_changelist",
                  may("billing.view_invoice")),
        )),
        _group(_("Review"), (
            _item(_("Reviews"), "fact_check", "desk_reviews",
                  may("billing.view_billingreview"), waiting=waiting),
            _item(_("Joined records"), "merge", "desk_merges", may("patients.view_patientmerge")),
        )),
        _group(_("Patients' word"), (
            _item(_("Ratings"), "star", "admin:billing_rating_changelist",
                  may("billing.view_rating")),
        )),
        _group(_("Accounts"), (
            _item(_("Payments"), "payments", "admin:billing_paymenttransaction_changelist",
                  may("billing.view_paymenttransaction")),
            _item(_("Returns"), "undo", "admin:billing_invoicereturn_changelist",
                  may("billing.view_invoicereturn")),
            _item(_("Ledger"), "menu_book", "admin:ledger_journalentry_changelist",
                  may("ledger.view_journalentry")),
            _item(_("Accounts of the ledger"), "account_balance",
                  "admin:ledger_ledgeraccount_changelist", may("ledger.view_ledgeraccount")),
            _item(_("Shifts"), "schedule", "admin:billing_shift_changelist",
                  may("billing.view_shift")),
            _item(_("Agreements"), "handshake", "admin:billing_agreement_changelist",
                  may("billing.view_agreement")),
        )),
        _group(_("System"), (
            _item(_("Look-ups and acts"), "visibility", "admin:core_auditevent_changelist",
                  may("core.view_auditevent")),
            _item(_("Calls to the outside"), "call_made", "admin:core_outboundcall_changelist",
                  may("core.view_outboundcall")),
            _item(_("Notices of the channels"), "move_to_inbox",
                  "admin:billing_paymentnotice_changelist", may("billing.view_paymentnotice")),
            _item(_("Events to the HIS"), "outbox", "admin:billing_hisevent_changelist",
                  may("billing.view_hisevent")),
            _item(_("Messages"), "sms", "admin:patients_notification_changelist",
                  may("patients.view_notification")),
            _item(_("State changes"), "timeline", "admin:core_statechange_changelist",
                  may("core.view_statechange")),
            _item(_("Jobs"), "event_repeat", "admin:django_celery_beat_periodictask_changelist",
                  may("django_celery_beat.view_periodictask")),
            _item(_("Job runs"), "history", "admin:core_jobrun_changelist",
                  may("core.view_jobrun")),
            _item(_("Merchants"), "storefront", "admin:billing_merchant_changelist",
                  may("billing.view_merchant")),
            _item(_("Tags"), "nfc", "admin:patients_location_changelist",
                  may("patients.view_location")),
            _item(_("HIS clients"), "key", "admin:patients_hisclient_changelist",
                  may("patients.view_hisclient")),
            _item(_("Users"), "group", "admin:core_user_changelist", may("core.view_user")),
            _item(_("Second factors"), "phonelink_lock", "admin:mfa_authenticator_changelist",
                  may("mfa.view_authenticator")),
            _item(_("Groups"), "badge", "admin:auth_group_changelist", may("auth.view_group")),
        )),
    ]  # fmt: skip


def _group(title: Any, items: tuple[dict[str, Any] | None, ...]) -> dict[str, Any]:
    return {"title": title, "items": [item for item in items if item is not None]}


def _item(
    title: Any,
    icon: str,
    address: str,
    allowed: bool,
    *,
    waiting: int = 0,
    active: Callable[[HttpRequest], bool] | None = None,
) -> dict[str, Any] | None:
    """One entry, or nothing for who may not open it."""
    if not allowed:
        return None
    entry: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(address)}
    if waiting:
        entry |= {"badge": waiting, "badge_variant": "warning"}
    return entry | ({"active": active} if active else {})


def _at_desk(request: HttpRequest) -> bool:
    """On the start page, or wherever a search led to."""
    at = request.resolver_match
    elsewhere = ("desk/reviews", "desk/merges")
    return (
        at is not None
        and (at.url_name or "").startswith("desk_")
        and not any(part in at.route for part in elsewhere)
    )
