"""What a message says. A payer reads hospital, masked name, amount, the number's tail, what to do.

Texts are msgids of the catalogue; a message is in the house's language, since nobody asks the
receiver's before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from core.money import format_yuan

FIELD_LENGTH_MAX = 100

# kind: (what happened, what to do)
TEXTS = {
    "deducted": (
        _("A hospital bill was paid from your account"),
        _("Nothing to do. If you did not expect this, call the hospital."),
    ),
    "deducted_back": (
        _("More was deducted from your account than a hospital bill needed"),
        _("It goes back by itself to where it came from. Nothing to do."),
    ),
    "covered": (
        _("The insurance paid the hospital bill in full"),
        _("Nothing to do. You pay nothing for it."),
    ),
    "paid": (_("The hospital bill is paid"), _("Nothing to do. Do not pay again.")),
    "pay_link": (_("A hospital bill waits for you"), _("Open this message to pay.")),
    "refunded": (
        _("Money came back from the hospital"),
        _("Nothing to do. It arrives where the payment came from."),
    ),
    "refunded_cash": (
        _("The hospital gives money back in cash"),
        _("It is handed out at the window, where you sign for it. Then nothing is left to do."),
    ),
    "not_deducted": (
        _("A hospital bill could not be deducted"),
        _("Nothing was taken. Pay by the link on the phone or at the window."),
    ),
    "over_limit": (
        _("A hospital bill is above a limit of your deductions"),
        _("Nothing was taken. Pay by the link or at the window; limits are under Deductions."),
    ),
    "agreement_signed": (
        _("Hospital bills can now be deducted from your account"),
        _("If this was not you, end it under Deductions or call the hospital."),
    ),
    "agreement_refused": (
        _("The deductions were not signed: another account tried to sign them"),
        _("Nothing is deducted. Sign again with your own account."),
    ),
    "agreement_too_late": (
        _("The deductions you signed are no longer valid here"),
        _("Nothing is deducted under them. Sign anew under Deductions if you still want them."),
    ),
    "agreement_paused": (
        _("Deductions of hospital bills are paused"),
        _("Nothing is deducted. You can go on at any time."),
    ),
    "agreement_resumed": (
        _("Deductions of hospital bills go on"),
        _("If this was not you, pause them under Deductions or call the hospital."),
    ),
    "agreement_text_changed": (
        _("The text on deductions of hospital bills has changed"),
        _("Please read and agree to it under My consents. Until then nothing is deducted."),
    ),
    "agreement_ended": (
        _("Deductions of hospital bills have ended"),
        _("Nothing more is deducted. Bills now wait on your phone or at the window."),
    ),
    "agreement_unsigned": (
        _("Deductions of hospital bills were ended in your wallet"),
        _("Nothing more is deducted. Bills now wait on your phone or at the window."),
    ),
    "agreement_card_left": (
        _("Deductions of hospital bills have ended: your own card left this account"),
        _("Nothing more is deducted. To go on, bind your card and sign anew under Deductions."),
    ),
    "agreement_wallet_taken": (
        _("Deductions of hospital bills are paused: the wallet belongs to another account"),
        _("Nothing is deducted. End this under Deductions and sign anew with your own wallet."),
    ),
    "wallet_was_signed": (
        _("Hospital bills of another account could be deducted from your wallet"),
        _("That is paused. If you did not allow it, end it in your wallet and call the hospital."),
    ),
    "access_begun": (
        _("A relative can now pay the hospital's bills for you"),
        _("If you did not allow this, end it under Family or call the hospital."),
    ),
    "access_ended": (
        _("A relative no longer sees or pays your hospital bills"),
        _("Nothing to do."),
    ),
    "access_viewing": (
        _("A relative can now see your hospital bills"),
        _("If you did not allow this, end it under Family or call the hospital."),
    ),
    "access_taken_back": (
        _("The patient has ended your access to their bills"),
        _("Nothing more is deducted from you for this patient."),
    ),
    "access_guardian_over": (
        _("You no longer pay for a person whose guardian you were"),
        _("Nothing more is deducted for them. Whoever speaks for them now can allow it again."),
    ),
    "access_given_back": (
        _("The patient allows you again to pay their hospital bills"),
        _("Under Deductions you see what is deducted for them, and can change it."),
    ),
    "family_account_refused": (
        _("Your insurance account does not pay for your relative's bill"),
        _("Open Family to see what is missing."),
    ),
    "filing_stands": (
        _("Your filing at the insurer stands"),
        _("Nothing to do. The hospital asked the insurer for you."),
    ),
    "filing_not_made": (
        _("Nothing was filed for you at the insurer"),
        _("If you still need it, file again under Insurance or at the window."),
    ),
    "filing_taken_back": (
        _("Your filing at the insurer is taken back"),
        _("Nothing to do. If you need it again, file it under Insurance or at the window."),
    ),
    "phone_changed": (
        _("Another phone number opens your account at the hospital now"),
        _("If this was not you, call the hospital at once."),
    ),
    "card_moved": (
        _("The patient card is bound to another account now"),
        _("If this was not you, call the hospital at once."),
    ),
    "records_joined": (
        _("Two hospital records of one person are one now"),
        _("Their bills are shown together. If these are two people, call the hospital."),
    ),
}


def message_fields(kind: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """The short texts a vendor's template places; an unknown kind is a programming error."""
    title, todo = TEXTS[kind]
    with override(settings.LANGUAGE_CODE):
        fields = {
            "title": _of_wallet(str(title), facts),
            "hospital": str(facts.get("hospital", "")),
            "name": str(facts.get("name", "")),
            "amount": format_yuan(int(facts["amount_fen"])) if "amount_fen" in facts else "",
            "number": str(facts.get("number", "")),
            # What is wrong, in whole sentences, says better what to do than a word of ours.
            "todo": " ".join(facts.get("because", ())) or str(todo),
        }
    return {name: value[:FIELD_LENGTH_MAX] for name, value in fields.items()}


def _of_wallet(title: str, facts: Mapping[str, Any]) -> str:
    """Who has two agreements reads which of them is meant."""
    return f"{title}（{facts['wallet']}）" if facts.get("wallet") else title


def phone_code_fields(code: str, minutes: int) -> dict[str, str]:
    """What the template of a code places; the log of calls hides a field of this name."""
    return {"sms_code": code, "minutes": str(minutes)}
