"""The beat's jobs as staff read them. The table of `config.schedule` is for programmers."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

JOB_WORDS: dict[str, Promise] = {
    "sweep_invoices": pgettext_lazy("job", "Carry bills on"),
    "sweep_claims": pgettext_lazy("job", "Ask for unconfirmed settlements of the insurer"),
    "sweep_transactions": pgettext_lazy("job", "Ask for unconfirmed payments"),
    "sweep_mixed_orders": pgettext_lazy("job", "Tell the channel of insurance given back"),
    "sweep_notices": pgettext_lazy("job", "Apply notices of the channels"),
    "sweep_events": pgettext_lazy("job", "Deliver events to the HIS"),
    "sweep_agreements": pgettext_lazy("job", "Check agreements at the channel"),
    "send_notifications": pgettext_lazy("job", "Send messages"),
    "send_binding_codes": pgettext_lazy("job", "Send codes for patient cards"),
    "end_guardians_words": pgettext_lazy("job", "End paying by a guardian's word at 18"),
    "purge_phone_codes": pgettext_lazy("job", "Delete old phone codes"),
    "forget_credentials": pgettext_lazy("job", "Forget insurance codes of past visits"),
    "sweep_filings": pgettext_lazy("job", "Ask for unconfirmed filings at the insurer"),
    "compare_statements": pgettext_lazy("job", "Compare the day's settlements with the insurer"),
    "close_day": pgettext_lazy("job", "Close the day"),
}
JOB_REASONS: dict[str, Promise] = {
    "sweep_invoices": pgettext_lazy(
        "job", "A bill whose task was lost goes on within seconds. Paused: such bills stand still."
    ),
    "sweep_claims": pgettext_lazy(
        "job",
        "A settlement whose answer was lost is known within 30 seconds. Paused: it stays open.",
    ),
    "sweep_transactions": pgettext_lazy(
        "job", "A payment whose notice was lost ends within 30 seconds. Paused: it stays open."
    ),
    "sweep_mixed_orders": pgettext_lazy(
        "job", "The wallet hears that the insurer gave its part back. Paused: it shows it as paid."
    ),
    "sweep_notices": pgettext_lazy(
        "job", "A stored notice whose task was lost is applied. Paused: it waits."
    ),
    "sweep_events": pgettext_lazy(
        "job", "The HIS hears of what no task told it. Paused: it may miss results."
    ),
    "sweep_agreements": pgettext_lazy(
        "job", "A signature or an end whose notice was lost is found. Paused: it is not seen."
    ),
    "send_notifications": pgettext_lazy(
        "job", "A message whose messenger was away is sent. Paused: it waits."
    ),
    "send_binding_codes": pgettext_lazy(
        "job", "A code for a patient card whose task was lost is sent. Paused: nobody gets one."
    ),
    "end_guardians_words": pgettext_lazy(
        "job", "From 18 on a person says themselves who pays. Paused: parents still pay for them."
    ),
    "purge_phone_codes": pgettext_lazy(
        "job", "Codes that are long over are deleted. Paused: they are kept."
    ),
    "forget_credentials": pgettext_lazy(
        "job", "An insurance code is kept only as long as its visit. Paused: it is kept longer."
    ),
    "sweep_filings": pgettext_lazy(
        "job", "A filing whose answer was lost is known within a minute. Paused: it stays open."
    ),
    "compare_statements": pgettext_lazy(
        "job",
        "Yesterday's settlements are compared with the insurer's. Paused: differences stay unseen.",
    ),
    "close_day": pgettext_lazy(
        "job", "After midnight, when the last late facts of the day are in. Paused: days stay open."
    ),
}
