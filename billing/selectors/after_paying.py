"""What a payer wants to know once it is paid: where to go now, and who was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from billing.message_keys import DEDUCTED, PAID, messages_about
from billing.models import Invoice, PaymentTransaction
from billing.page_values import LineGroup, NextStep
from insurance.models import DRUGS, ItemCategory
from patients.models import Notification, NotificationStatus, PatientAccess, Relation

EXAMINED = frozenset({ItemCategory.EXAMINATION, ItemCategory.LABORATORY})
# What the told user is to the patient; the binding says what the patient is to the user.
TOLD: dict[str, Promise] = {
    Relation.SELF: gettext_lazy("the patient"),
    Relation.CHILD: gettext_lazy("a parent"),
    Relation.PARENT: gettext_lazy("a child"),
    Relation.SPOUSE: gettext_lazy("the spouse"),
    Relation.OTHER: gettext_lazy("a relative"),
}


def next_step(groups: Iterable[LineGroup]) -> NextStep | None:
    """Where this bill leads, by what is on it; nothing is promised that the bill does not say."""
    groups = list(groups)
    drugs = sum(len(group.lines) for group in groups if group.category in DRUGS)
    if drugs:
        kinds = ngettext(
            "%(n)s medicine, show your visit code", "%(n)s medicines, show your visit code", drugs
        )
        return NextStep(_("Please fetch your medicine"), kinds % {"n": drugs}, "pharmacy")
    if any(group.category in EXAMINED for group in groups):
        return NextStep(_("Please go to your examination"), _("Show your visit code there"), "scan")
    return None


def paid_by(access: PatientAccess, taken: Sequence[PaymentTransaction]) -> bool:
    """Whether this reader paid it all: money by a pay link or at the window is nobody's known."""
    return bool(taken) and all(row.payment.payer_id == access.user_id for row in taken)


def told_words(
    invoice: Invoice, taken: Sequence[PaymentTransaction], access: PatientAccess | None
) -> tuple[str, str]:
    """To whom a message about these payments has gone out, and to whom one is on its way, without
    a name; one statement. Right after paying, which is when the page is read, none has gone yet."""
    keys = messages_about((DEDUCTED, PAID), [row.number for row in taken])
    bound = PatientAccess.objects.live().filter(user=OuterRef("user"), patient=invoice.patient_id)
    said = (NotificationStatus.SENT, NotificationStatus.WAITING)
    rows = Notification.objects.filter(keys, status__in=said).annotate(
        relation=Subquery(bound.values("relation")[:1])
    )
    words: dict[str, dict[str, None]] = {status: {} for status in said}
    for status, user_id, relation in rows.order_by("pk").values_list(
        "status", "user_id", "relation"
    ):
        reader = access is not None and user_id == access.user_id
        word = _("the phone on record") if user_id is None else TOLD.get(relation)
        words[status][_("you") if reader else str(word or TOLD[Relation.OTHER])] = None
    sent, waiting = (pgettext("list", ", ").join(words[status]) for status in said)
    return sent, waiting
