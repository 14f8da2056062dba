"""Places, systems and messages. Patients are not here: a look at one is recorded at the desk."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin import ReadOnlyAdmin
from core.admin_values import word_of, words_add
from core.admin_words import columns_add
from patients.admin_words import COLUMN_WORDS
from patients.messages import TEXTS
from patients.models import (
    AccessEnd,
    Campus,
    ConsentPurpose,
    HisClient,
    IdentifierKind,
    Notification,
)

columns_add(COLUMN_WORDS)
words_add("action", {
    "access_ended": pgettext_lazy("action", "binding ended"),
    "access_granted": pgettext_lazy("action", "right given"),
    "access_revoked": pgettext_lazy("action", "right taken back"),
    "account_for_another": pgettext_lazy("action", "another person's card in the account"),
    "account_opened": pgettext_lazy("action", "account opened"),
    "binding_made": pgettext_lazy("action", "patient card bound"),
    "consent_given": pgettext_lazy("action", "consent given"),
    "consent_withdrawn": pgettext_lazy("action", "consent taken back"),
    "encounter_put": pgettext_lazy("action", "visit received"),
    "patient_corrected": pgettext_lazy("action", "identity corrected"),
    "patient_facts_changed": pgettext_lazy("action", "birth, sex or guardian changed"),
    "patient_facts_kept": pgettext_lazy("action", "facts of another system not taken over"),
    "patient_merged": pgettext_lazy("action", "duplicate joined"),
    "patient_phone_changed": pgettext_lazy("action", "phone on record changed"),
    "patient_phone_kept": pgettext_lazy("action", "phone of another system not taken over"),
    "patient_signed_in": pgettext_lazy("action", "patient signed in"),
    "patient_signed_out": pgettext_lazy("action", "patient signed out"),
    "patient_unmerged": pgettext_lazy("action", "duplicate parted again"),
    "phone_doubted": pgettext_lazy("action", "wrong answer to whose a phone is"),
    "phone_let_go": pgettext_lazy("action", "phone taken from the account"),
    "phone_changed": pgettext_lazy("action", "phone of the account changed"),
    "wallet_identity_joined": pgettext_lazy("action", "wallet joined"),
    "wallet_identity_refused": pgettext_lazy("action", "wallet refused"),
})  # fmt: skip
words_add("fields", {
    "name": _("name"),
    "sex": _("sex"),
    "birth_date": _("date of birth"),
    "id_type": _("kind of certificate"),
    "id_number_index": _("ID number"),
    "phone_index": _("phone"),
})  # fmt: skip
words_add("by", dict(IdentifierKind.choices))
words_add("how", dict(AccessEnd.choices))
words_add("purpose", dict(ConsentPurpose.choices))
words_add("label", {
    "access": pgettext_lazy("column", "binding"),
    "how": pgettext_lazy("column", "how it ended"),
    "new": pgettext_lazy("column", "told now"),
    "old": pgettext_lazy("column", "on record before"),
    "pay": _("may pay"),
    "version": pgettext_lazy("column", "version of the text"),
    "view": _("may view"),
})  # fmt: skip
# What the page of a message itself says is also its kind's word.
words_add("kind", {kind: title for kind, (title, _todo) in TEXTS.items()})
words_add("kind", {
    "phone_code": pgettext_lazy("kind", "code for a phone"),
    "binding_code": pgettext_lazy("kind", "code for a patient card"),
})  # fmt: skip
words_add("last_error", {
    "nobody to reach": pgettext_lazy("message", "nobody can be reached"),
    "told already": pgettext_lazy("message", "told already at this phone"),
    "messenger not set up": pgettext_lazy("message", "this way is not set up"),
})  # fmt: skip
words_add("scopes", {
    "read": pgettext_lazy("scope", "read"),
    "write": pgettext_lazy("scope", "write"),
    "money": pgettext_lazy("scope", "move money"),
})  # fmt: skip
words_add("right", {
    "search_patient": pgettext_lazy("right", "look patients up"),
    "reveal_patient": pgettext_lazy("right", "see unmasked personal data, on record"),
    "end_binding": pgettext_lazy("right", "end a patient's binding at the desk"),
    "propose_patientmerge": pgettext_lazy("right", "propose to join two records"),
    "decide_patientmerge": pgettext_lazy("right", "decide about joined records"),
})  # fmt: skip


@admin.register(Campus)
class CampusAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kind", "institution_code")
    search_fields = ("code__exact",)


@admin.register(HisClient)
class HisClientAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "active", "events_url")
    exclude: ClassVar = ("token_digest", "events_secret")
    search_fields = ("code__exact",)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "messenger", "status", "attempts", "sent_at")
    exclude: ClassVar = ("address", "patient", "link")  # whoever has the link sees the bill
    list_filter = ("status", "messenger")
    search_fields = ("key__exact",)

    def row_title(self, row: Notification) -> str:
        return f"{word_of('kind', row.kind)} {row.get_messenger_display()}"
