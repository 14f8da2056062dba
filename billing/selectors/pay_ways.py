"""The ways a bill can be paid now, in the patient's own order, each with what is left of it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.channels.base import Mode
from billing.models import Agreement, Invoice
from billing.pages import DEVICE_MODES, Device, InvoicePage, Way
from billing.selectors.payments import agreement_left_fen, agreement_use
from core import clock
from core.money import format_yuan
from patients.models import PatientAccess, Relation

WAYS_MAX = 6
AGREEMENT_TITLES: dict[str, Promise] = {
    "wechat_pay": gettext_lazy("WeChat, no password"),
    "alipay": gettext_lazy("Alipay, no password"),
}
# Who an agreement's holder is to the patient: the binding says what the patient is to the holder.
HOLDERS: dict[str, Promise] = {
    Relation.CHILD: gettext_lazy("your parent pays"),
    Relation.PARENT: gettext_lazy("your child pays"),
    Relation.SPOUSE: gettext_lazy("your spouse pays"),
    Relation.OTHER: gettext_lazy("your family pays"),
}


def agreement_is_offered(agreement: Agreement, access: PatientAccess) -> bool:
    """Whether this user may pick it: their own, or any that pays for their own person."""
    return agreement.holder_id == access.user_id or access.relation == Relation.SELF


def pay_ways(
    page: InvoicePage, device: Device, *, invoice: Invoice | None, access: PatientAccess | None
) -> tuple[Way, ...]:
    """Every way of this bill on this device, best first; the window is always one of them."""
    bound: Iterable[Way] = ()
    if invoice is not None and access is not None:
        bound = _bound(page, invoice, access)
    return (*bound, *_wallets(device), _window())[-WAYS_MAX:]


def _bound(page: InvoicePage, invoice: Invoice, access: PatientAccess) -> list[Way]:
    """The agreements that may pay for this person; one over its limit says so and is greyed."""
    rows = [row for row in _agreements(invoice, access) if agreement_is_offered(row, access)]
    rows = rows[: WAYS_MAX - 2]
    now = clock.now()
    used = agreement_use([row.pk for row in rows], clock.business_day(now)) if rows else {}
    ways = []
    for row in rows:
        left_fen = agreement_left_fen(row, used.get(row.pk, (0, 0)), now)
        ways.append(_agreement_way(row, access, left_fen, enough=left_fen >= page.due_fen))
    return ways


def _agreements(invoice: Invoice, access: PatientAccess) -> list[Agreement]:
    """What `billing.locks.agreements_lock` would admit, read without a lock, own ones first."""
    rows = Agreement.objects.admitted(
        invoice.patient_id, invoice.encounter.campus_id, clock.today()
    ).annotate(relation=F("holder__patient_access__relation"))
    found = rows.select_related("plan__merchant").order_by("preference", "pk")
    return sorted(found, key=lambda row: row.holder_id != access.user_id)


def _agreement_way(row: Agreement, access: PatientAccess, left_fen: int, *, enough: bool) -> Way:
    channel = AGREEMENT_TITLES.get(row.plan.merchant.channel, gettext_lazy("no password"))
    own = row.holder_id == access.user_id
    relation = str(getattr(row, "relation", Relation.OTHER))
    left = _("today up to %(sum)s") % {"sum": format_yuan(left_fen)}
    if not enough:
        detail = _("%(left)s, not enough for this bill") % {"left": left}
    else:
        said = _("bound") if own else str(channel)
        detail = _("%(said)s, %(left)s") % {"said": said, "left": left}
    title = channel if own else HOLDERS.get(relation, HOLDERS[Relation.OTHER])
    return Way(
        value=f"agreement-{row.pk}",
        icon="shield" if own else "people",
        title=title,
        detail=detail,
        press=format_lazy(gettext_lazy("Pay: {way}"), way=title),
        off=not enough,
    )


def _wallets(device: Device) -> list[Way]:
    """WeChat from this device; inside WeChat's own browser its link cannot be opened."""
    press = gettext_lazy("Pay by WeChat")
    if device is Device.DESKTOP:
        title, icon = gettext_lazy("WeChat, scan a code"), "scan"
        detail = _("Scan the code with your phone")
    else:
        title, icon = gettext_lazy("WeChat Pay"), "wallet"
        detail = _("Enter your password this time")
    off = device is Device.WECHAT
    if off:
        detail = _("Tap ··· above and open this page in the browser, then pay.")
    value = DEVICE_MODES[device].value if not off else Mode.H5.value
    return [Way(value, icon, title, detail, press, off=off)]


def _window() -> Way:
    return Way(
        value="window",
        icon="place",
        title=gettext_lazy("Pay at the window"),
        detail=_("Cash or a payment code"),
        press=gettext_lazy("See where the window is"),
        takes=False,
    )
