"""The ways a bill can be paid now, in the patient's own order, each with what is left of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.channels.base import OFFERED_MODES, Capability, Mode
from billing.models import Agreement, Invoice, Merchant, Payment
from billing.models.agreement import paying_order
from billing.offers import INSIDE, Device, Offer, Wallet
from billing.page_values import InvoicePage, Way
from billing.selectors.merchants import channel_can, merchants_offered
from billing.selectors.payments import agreement_left_fen, agreement_use
from billing.words import WalletWords, wallet_words, way_text
from core import clock
from core.money import format_yuan
from patients.models import PatientAccess, Relation
from patients.selectors.accounts import wallet_subject
from patients.signin.registry import door_for

WAYS_MAX = 6
WALLETS_MAX = WAYS_MAX - 1
SIGN_IN = "sign-in-"


# Who an agreement's holder is to the patient: the binding says what the patient is to the holder.
HOLDERS: dict[str, Promise] = {
    Relation.CHILD: gettext_lazy("a parent pays"),
    Relation.PARENT: gettext_lazy("a child pays"),
    Relation.SPOUSE: gettext_lazy("the spouse pays"),
    Relation.OTHER: gettext_lazy("the family pays"),
}


def holder_word(relation: str) -> Promise:
    """The holder beside whom the word stands, for the patient and for who serves them."""
    return HOLDERS.get(relation, HOLDERS[Relation.OTHER])


def agreement_is_offered(
    agreement: Agreement, access: PatientAccess, *, own_only: bool = False
) -> bool:
    """Whether this user may pick it: their own, or any that pays for their own person.

    Behind a link it is their own alone.
    """
    if agreement.holder_id == access.user_id:
        return True
    return access.relation == Relation.SELF and not own_only


def pay_ways(
    page: InvoicePage,
    device: Device,
    wallets: Iterable[Wallet],
    *,
    invoice: Invoice | None,
    access: PatientAccess | None,
    own_only: bool = False,
) -> tuple[Way, ...]:
    """Every way of this bill on this device, best first; the window is always one of them."""
    opened = _wallet_ways(device, wallets)
    bound: Iterable[Way] = ()
    if invoice is not None and access is not None:
        offered = [
            row
            for row in _agreements(invoice, access)
            if agreement_is_offered(row, access, own_only=own_only)
        ]
        bound = _bound(page, access, offered[: WAYS_MAX - 1 - len(opened)])
    return (*bound, *opened, _window())


def wallets_open(*, invoice: Invoice, visitor_id: int | None, device: Device) -> tuple[Wallet, ...]:
    """The channels that make pay links at this campus: the payer's last used one, then as their
    merchants stand. Who is signed in may be known to a wallet's app."""
    merchants = merchants_offered(campus_id=invoice.encounter.campus_id)
    inside = merchants.get(INSIDE.get(device, ""))
    last = _last_used(invoice, visitor_id) if len(merchants) > 1 else ""
    codes = sorted(merchants, key=lambda code: code != last)
    return tuple(
        _inside(merchants[code], visitor_id) if merchants[code] is inside else Wallet(code)
        for code in codes[:WALLETS_MAX]
    )


def _inside(merchant: Merchant, visitor_id: int | None) -> Wallet:
    """A channel inside its own browser: whether the visitor can pay right there, or could."""
    if not channel_can(merchant.channel, Capability.JSAPI):
        return Wallet(merchant.channel)
    app = {"channel": merchant.channel, "app_id": merchant.app_id}
    if visitor_id is not None and wallet_subject(user_id=visitor_id, **app):
        return Wallet(merchant.channel, known=True)
    return Wallet(merchant.channel, door=door_for(**app))


def _last_used(invoice: Invoice, visitor_id: int | None) -> str:
    """The channel the visitor, or else this patient, paid a link by last."""
    rows = Payment.objects.filter(mode__in=OFFERED_MODES)
    if visitor_id is not None:
        rows = rows.filter(payer=visitor_id)
    else:
        rows = rows.filter(invoice__patient=invoice.patient_id)
    return rows.order_by("-created_at", "-pk").values_list("channel", flat=True).first() or ""


def _bound(page: InvoicePage, access: PatientAccess, rows: list[Agreement]) -> list[Way]:
    """The agreements that may pay for this person; one over its limit says so and is greyed."""
    now = clock.now()
    used = agreement_use([row.pk for row in rows], clock.business_day(now)) if rows else {}
    ways = []
    for row in rows:
        left_fen = agreement_left_fen(row, used.get(row.pk, (0, 0)), now)
        ways.append(_agreement_way(row, access, left_fen, enough=left_fen >= page.due_fen))
    return ways


def _agreements(invoice: Invoice, access: PatientAccess) -> list[Agreement]:
    """What `billing.locks.agreements_lock` would admit, read without a lock; the reader's own come
    first, for it is the reader who chooses here."""
    rows = Agreement.objects.admitted(
        invoice.patient_id, invoice.encounter.campus_id, clock.today()
    ).select_related("plan__merchant")
    return sorted(rows, key=lambda row: (row.holder_id != access.user_id, *paying_order(row)))


def _agreement_way(row: Agreement, access: PatientAccess, left_fen: int, *, enough: bool) -> Way:
    channel = way_text(row.plan.merchant.channel, Mode.AGREEMENT)
    own = row.holder_id == access.user_id
    relation = str(getattr(row, "relation", Relation.OTHER))
    left = _("now up to %(sum)s at once") % {"sum": format_yuan(left_fen)}
    if not enough:
        detail = _("%(left)s, not enough for this bill") % {"left": left}
    else:
        said = _("bound") if own else str(channel)
        detail = _("%(said)s, %(left)s") % {"said": said, "left": left}
    title = channel if own else holder_word(relation)
    return Way(
        value=f"agreement-{row.pk}",
        icon="shield" if own else "people",
        title=title,
        detail=detail,
        press=format_lazy(gettext_lazy("Pay: {way}"), way=title),
        off=not enough,
    )


def _wallet_ways(device: Device, wallets: Iterable[Wallet]) -> list[Way]:
    """One way for each channel; inside a wallet's browser its own stands first."""
    ordered = sorted(wallets, key=lambda wallet: wallet.channel != INSIDE.get(device))
    ways = (_wallet_way(device, wallet, wallet_words(wallet.channel)) for wallet in ordered)
    return sorted(ways, key=lambda way: way.off)


def _wallet_way(device: Device, wallet: Wallet, words: WalletWords) -> Way:
    if device is Device.DESKTOP:
        offer = Offer(wallet.channel, Mode.NATIVE)
        detail = _("Scan the code with your phone")
        return Way(str(offer), "scan", words.scan, detail, words.press)
    link = Way(
        value=str(Offer(wallet.channel, Mode.H5)),
        icon="wallet",
        title=words.name,
        detail=_("Enter your password this time"),
        press=words.press,
    )
    if wallet.known:
        return replace(link, value=str(Offer(wallet.channel, Mode.JSAPI)))
    if wallet.door:
        return replace(
            link,
            value=f"{SIGN_IN}{wallet.door}",
            detail=_("Once: it must know who pays"),
            press=words.sign_in,
            takes=False,
        )
    # WeChat's own browser cannot open its payment link, nor any wallet's that of another.
    if device is Device.WECHAT or (device in INSIDE and INSIDE[device] != wallet.channel):
        detail = _("Tap ··· above and open this page in the browser, then pay.")
        return replace(link, detail=detail, off=True)
    return link


def _window() -> Way:
    return Way(
        value="window",
        icon="place",
        title=gettext_lazy("Pay at the window"),
        detail=_("Cash or a payment code"),
        press=gettext_lazy("See where the window is"),
        takes=False,
    )
