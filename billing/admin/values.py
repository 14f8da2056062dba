"""What the codes of bills, payments and the books are called where staff read them."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.channels.base import OFFERED_MODES
from billing.desk.search import KINDS
from billing.desk.views.patients import REVEAL_REASONS
from billing.ledger.chart import FAMILIES
from billing.models import RatingTag, ReviewReason
from billing.reasons import REASON_OF
from billing.words import STAFF_REASONS, WAITING, WAITS, WAYS
from core.admin_values import words_add

CHANNEL_WORDS: dict[str, Promise] = {
    "wechat_pay": pgettext_lazy("channel", "WeChat Pay"),
    "alipay": pgettext_lazy("channel", "Alipay"),
    "cash": pgettext_lazy("channel", "cash"),
}
COUNTERPARTY_WORDS: dict[str, Promise] = {
    **CHANNEL_WORDS,
    "his": pgettext_lazy("counterparty", "HIS"),
    "sms": pgettext_lazy("counterparty", "text messages"),
    "wechat_message": pgettext_lazy("counterparty", "WeChat messages"),
    "wechat_login": pgettext_lazy("counterparty", "WeChat sign-in"),
    "alipay_login": pgettext_lazy("counterparty", "Alipay sign-in"),
    "nhsa": pgettext_lazy("counterparty", "insurer"),
}
OPERATION_WORDS: dict[str, Promise] = {
    "sign": pgettext_lazy("operation", "sign an agreement"),
    "unsign": pgettext_lazy("operation", "end an agreement"),
    "capture": pgettext_lazy("operation", "collect"),
    "query": pgettext_lazy("operation", "ask for a payment"),
    "close": pgettext_lazy("operation", "close an order"),
    "reverse": pgettext_lazy("operation", "take a payment back"),
    "refund": pgettext_lazy("operation", "refund"),
    "refund_query": pgettext_lazy("operation", "ask for a refund"),
    "agreement_query": pgettext_lazy("operation", "ask for an agreement"),
    "event": pgettext_lazy("operation", "deliver an event"),
    "send": pgettext_lazy("operation", "send a message"),
    "token": pgettext_lazy("operation", "get a token"),
    "access_token": pgettext_lazy("operation", "ask who signs in"),
    "oauth_token": pgettext_lazy("operation", "ask who signs in"),
    "transfer": pgettext_lazy("operation", "transfer"),
    "transfer_query": pgettext_lazy("operation", "ask for a transfer"),
}
KIND_WORDS: dict[str, Promise] = {
    "capture": pgettext_lazy("kind", "payment"),
    "refund": pgettext_lazy("kind", "refund"),
    "agreement": pgettext_lazy("kind", "agreement"),
    "paid": pgettext_lazy("kind", "bill paid"),
    "deducted": pgettext_lazy("kind", "deducted"),
    "deducted_back": pgettext_lazy("kind", "deducted, goes back"),
    "not_deducted": pgettext_lazy("kind", "not deducted"),
    "over_limit": pgettext_lazy("kind", "above the limit, not deducted"),
    "refunded": pgettext_lazy("kind", "refunded"),
    "refunded_cash": pgettext_lazy("kind", "refunded in cash"),
    "pay_link": pgettext_lazy("kind", "pay link"),
    "asset": pgettext_lazy("kind", "asset"),
    "liability": pgettext_lazy("kind", "liability"),
    "equity": pgettext_lazy("kind", "equity"),
    "income": pgettext_lazy("kind", "income"),
    "expense": pgettext_lazy("kind", "expense"),
}
EVENT_WORDS: dict[str, Promise] = {
    "invoice_issued": pgettext_lazy("entry", "bill issued"),
    "invoice_cancelled": pgettext_lazy("entry", "bill cancelled"),
    "lines_returned": pgettext_lazy("entry", "charges returned"),
    "captured": pgettext_lazy("entry", "payment arrived"),
    "cash_taken": pgettext_lazy("entry", "cash taken"),
    "refund_owed": pgettext_lazy("entry", "refund owed"),
    "refund_done": pgettext_lazy("entry", "refund done"),
    "refund_came_back": pgettext_lazy("entry", "refund came back"),
    "unexpected_in": pgettext_lazy("entry", "unexpected money in"),
    "unexpected_owed": pgettext_lazy("entry", "unexpected money owed back"),
    "unexpected_applied": pgettext_lazy("entry", "unexpected money applied"),
    "claim_settled": pgettext_lazy("entry", "claim settled"),
    "claim_reversed": pgettext_lazy("entry", "claim taken back"),
    "hospital_part": pgettext_lazy("entry", "hospital part"),
    "hospital_part_reversed": pgettext_lazy("entry", "hospital part taken back"),
    "hospital_bears": pgettext_lazy("entry", "borne by the hospital"),
    "hospital_bears_reversed": pgettext_lazy("entry", "borne by the hospital, taken back"),
    "excess_owed": pgettext_lazy("entry", "too much taken, owed back"),
    "fund_loss_borne": pgettext_lazy("entry", "fund loss borne by the hospital"),
    "fund_loss_taken_back": pgettext_lazy("entry", "fund loss taken back"),
    "recourse_claimed": pgettext_lazy("entry", "recourse claimed"),
    "recourse_collected": pgettext_lazy("entry", "recourse collected"),
    "recourse_written_off": pgettext_lazy("entry", "recourse written off"),
}
OUTCOME_WORDS: dict[str, Promise] = {
    "CREATED": _("number committed"),
    "SUCCEEDED": _("succeeded"),
    "DECLINED": _("declined"),
    "PENDING": _("in progress"),
    "UNKNOWN": _("unknown"),
    "CLOSED": _("closed"),
    "signed": pgettext_lazy("outcome", "signed"),
    "ended": pgettext_lazy("outcome", "ended"),
    "unknown agreement": pgettext_lazy("outcome", "unknown agreement"),
    "ended an earlier contract": pgettext_lazy("outcome", "ended an earlier agreement"),
    **{
        f"{code} differs": word
        for code, word in {
            "currency": pgettext_lazy("outcome", "the currency differs"),
            "merchant": pgettext_lazy("outcome", "the merchant differs"),
            "kind": pgettext_lazy("outcome", "the kind differs"),
            "contract": pgettext_lazy("outcome", "the agreement differs"),
            "original order": pgettext_lazy("outcome", "the original order differs"),
        }.items()
    },
}
MODE_WORDS: dict[str, Promise] = {
    "agreement": pgettext_lazy("mode", "no password"),
    "scan": pgettext_lazy("mode", "payment code scanned"),
    "native": pgettext_lazy("mode", "code scanned by the payer"),
    "h5": pgettext_lazy("mode", "in the phone's browser"),
    "jsapi": pgettext_lazy("mode", "inside the wallet's app"),
    "mixed": pgettext_lazy("mode", "with insurance, in the wallet"),
    "cash": pgettext_lazy("mode", "cash"),
}
OFFER_WORDS: dict[str, Promise] = {
    f"{channel}.{mode}": format_lazy("{} · {} · {}", KIND_WORDS["pay_link"], way, MODE_WORDS[mode])
    for (channel, mode), way in WAYS.items()
    if mode in OFFERED_MODES
}
REASON_WORDS: dict[str, Promise | str] = {
    **dict(ReviewReason.choices),
    **{code: STAFF_REASONS[reason] for code, reason in REASON_OF.items()},
    **{f"pay link {offer}": word for offer, word in OFFER_WORDS.items()},
    "came back": pgettext_lazy("reason", "came back from the bank"),
    "EARLIER_UNSURE": pgettext_lazy("reason", "an earlier number may still bring the money"),
    "nobody waited for it": pgettext_lazy("reason", "arrived when nobody waited for it"),
    "visit cancelled": pgettext_lazy("reason", "visit cancelled"),
    "ended at the channel": pgettext_lazy("reason", "ended at the channel"),
    "not signed within a day": pgettext_lazy("reason", "not signed within a day"),
    "begun anew": pgettext_lazy("reason", "begun anew"),
    "cash part taken": pgettext_lazy("reason", "own part taken"),
    "consent taken back": pgettext_lazy("reason", "consent taken back"),
    "ended by the payer": pgettext_lazy("reason", "ended by the payer"),
    "insurer silent": pgettext_lazy("reason", "the insurer does not answer"),
    "nobody collects": pgettext_lazy("reason", "nobody collects it"),
    "paused by the payer": pgettext_lazy("reason", "paused by the payer"),
    "by phone": pgettext_lazy("reason", "the insured chose to pay on the phone"),
    "price ran out": pgettext_lazy("reason", "the insured price ran out"),
    "priced": pgettext_lazy("reason", "priced by the insurer"),
    "resumed by the payer": pgettext_lazy("reason", "resumed by the payer"),
    "settled": pgettext_lazy("reason", "settled with the insurer"),
    "ACCEPTED": pgettext_lazy("reason", "taken on by the channel"),
    "PROCESSING": pgettext_lazy("reason", "being worked on by the channel"),
    "REFUND_PROCESSING": pgettext_lazy("reason", "being worked on by the channel"),
    "agreement picked": pgettext_lazy("reason", "the payer picked an agreement"),
    "insurance code shown": pgettext_lazy("reason", "the insurance code was shown"),
    "nothing to pay, confirmed": pgettext_lazy("reason", "confirmed, nothing was to be paid"),
    "the order came later": pgettext_lazy("reason", "the order came later"),
    "passed_over": pgettext_lazy("reason", "the cashier did not wait"),
    "PASSED_OVER": pgettext_lazy("reason", "the cashier did not wait"),
    "NO_ANSWER": pgettext_lazy("reason", "no answer of the channel"),
    "NOT_SENT": pgettext_lazy("reason", "could not be sent to the channel"),
    "CLOSED": pgettext_lazy("reason", "order closed"),
}
# What a channel said of an order, as against why a bill was not paid by it.
ANSWER_WORDS: dict[str, Promise | str] = {**REASON_WORDS, **dict.fromkeys(WAITS, WAITING)}
FIELD_WORDS: dict[str, Promise] = {
    "currency": pgettext_lazy("outcome", "currency"),
    "merchant": pgettext_lazy("outcome", "merchant"),
    "kind": pgettext_lazy("outcome", "kind"),
    "contract": pgettext_lazy("outcome", "agreement"),
    "original order": pgettext_lazy("outcome", "original order"),
}
ACTION_WORDS: dict[str, Promise] = {
    "tender_passed_over": pgettext_lazy("action", "went on without waiting"),
    "notice_refused": pgettext_lazy("action", "notice of a channel refused"),
    "insurance_other_person": pgettext_lazy("action", "insurance code of another person"),
    "his_refused": pgettext_lazy("action", "call of the HIS refused"),
    "patient_search": pgettext_lazy("action", "patient searched"),
    "patient_lookup": pgettext_lazy("action", "patient looked at"),
    "patient_reveal": pgettext_lazy("action", "personal data shown"),
    "charges_put": pgettext_lazy("action", "charges received"),
    "agreement_ended_at_desk": pgettext_lazy("action", "agreement ended at the desk"),
    "agreement_limits_changed": pgettext_lazy("action", "agreement's limits changed"),
    "agreement_people_changed": pgettext_lazy("action", "agreement pays for other people"),
    "agreement_preferred": pgettext_lazy("action", "agreement comes first"),
    "agreement_refused": pgettext_lazy("action", "agreement refused"),
    "agreement_lets_go": pgettext_lazy("action", "agreement no longer pays for a person"),
    "agreement_wallet_taken": pgettext_lazy("action", "agreement took from another's wallet"),
}
PAGE_WORDS: dict[str, Promise] = {
    "patient": pgettext_lazy("page", "patient"),
    "bill": pgettext_lazy("page", "bill"),
    "cash": pgettext_lazy("page", "cash"),
    "return": pgettext_lazy("page", "return"),
    "review": pgettext_lazy("page", "review"),
    "person_review": pgettext_lazy("page", "who is who"),
    "bindings": pgettext_lazy("page", "bindings and agreements"),
    "end_binding": pgettext_lazy("page", "end of a binding"),
    "end_agreement": pgettext_lazy("page", "end of an agreement"),
    "merge": pgettext_lazy("page", "joined records"),
}
LABEL_WORDS: dict[str, Promise] = {
    "numbers": pgettext_lazy("column", "numbers"),
    "call": pgettext_lazy("column", "call"),
    "fields": pgettext_lazy("column", "fields"),
}
RIGHT_WORDS: dict[str, Promise] = {
    "collect_invoice": pgettext_lazy("right", "take a payment at the window"),
    "return_invoice": pgettext_lazy("right", "ask for a return"),
    "pass_over_tender": pgettext_lazy("right", "go on while a payment is unconfirmed"),
    "decide_billingreview": pgettext_lazy("right", "decide reviews"),
    "end_agreement": pgettext_lazy("right", "end an agreement at the desk"),
    "record_fundloss": pgettext_lazy("right", "record fund losses and recourse"),
    "decide_fundloss": pgettext_lazy("right", "decide about fund losses and recourse"),
}
SUBJECT_WORDS: dict[str, Promise] = {
    "invoice": _("bill"),
    "his.call": pgettext_lazy("subject", "HIS call"),
    "channel": pgettext_lazy("subject", "channel"),
}
# What is written in which field; one field may hold words of several subjects.
_BY_FIELD: tuple[tuple[str, Mapping[str, Promise | str]], ...] = (
    ("channel", CHANNEL_WORDS),
    ("counterparty", COUNTERPARTY_WORDS),
    ("operation", OPERATION_WORDS),
    ("kind", KIND_WORDS),
    ("event", EVENT_WORDS),
    ("family", {code: family.title for code, family in FAMILIES.items()}),
    ("outcome", OUTCOME_WORDS),
    ("mode", MODE_WORDS),
    ("differs", FIELD_WORDS),
    ("purpose", {"invoice": _("bill")}),
    ("currency", {"CNY": pgettext_lazy("currency", "yuan")}),
    ("reason", ANSWER_WORDS),
    ("code", ANSWER_WORDS),
    ("decline_code", REASON_WORDS),
    ("comment", REASON_WORDS),
    ("action", ACTION_WORDS),
    ("subject", SUBJECT_WORDS),
    ("tags", dict(RatingTag.choices)),
    ("page", PAGE_WORDS),
    ("by", {**KINDS, "link": pgettext_lazy("found by", "a link")}),
    ("reason", REVEAL_REASONS),
    ("label", LABEL_WORDS),
    ("right", RIGHT_WORDS),
)


def register() -> None:
    """Make them known to the lists of the admin."""
    for field, words in _BY_FIELD:
        words_add(field, words)
