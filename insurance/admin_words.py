"""What the columns of the insurer's side are called, and the words for its operations."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.outcomes import Outcome
from insurance.gateway.base import Operation
from insurance.gateway.visit_values import Scheme

COLUMN_WORDS: dict[str, Promise] = {
    "message_no": gettext_lazy("message number"),
    "region": pgettext_lazy("column", "insurance region"),
    "sentence": gettext_lazy("what the insurer said"),
    "settlement_no": gettext_lazy("settlement"),
}
GATEWAY_WORDS: dict[str, Promise] = {
    "nhsa": pgettext_lazy("gateway", "insurance platform"),
    "mobile": pgettext_lazy("gateway", "mobile-pay centre"),
    "credential": pgettext_lazy("gateway", "e-credential service"),
}
SCHEME_WORDS: dict[str, Promise] = {
    Scheme.EMPLOYEE: pgettext_lazy("scheme", "employees' insurance"),
    Scheme.CIVIL_SERVANT: pgettext_lazy("scheme", "civil servants' aid"),
    Scheme.LARGE_EXPENSE: pgettext_lazy("scheme", "large expense aid"),
    Scheme.RETIRED_CADRE: pgettext_lazy("scheme", "retired cadres"),
    Scheme.DISABLED_SOLDIER: pgettext_lazy("scheme", "disabled soldiers"),
    Scheme.OLD_RED_ARMY: pgettext_lazy("scheme", "veterans of the revolution"),
    Scheme.ENTERPRISE: pgettext_lazy("scheme", "enterprise supplement"),
    Scheme.RURAL: pgettext_lazy("scheme", "rural insurance"),
    Scheme.RESIDENT: pgettext_lazy("scheme", "residents' insurance"),
    Scheme.URBAN_RESIDENT: pgettext_lazy("scheme", "urban residents' insurance"),
    Scheme.RESIDENT_SERIOUS_ILLNESS: pgettext_lazy("scheme", "residents' serious illness"),
    Scheme.OTHER: pgettext_lazy("scheme", "other insurance"),
    Scheme.LONG_TERM_CARE: pgettext_lazy("scheme", "long-term care"),
    Scheme.MATERNITY: pgettext_lazy("scheme", "maternity insurance"),
}
# Kinds of care (med_type), as the national code set numbers them.
MED_TYPE_WORDS: dict[str, Promise] = {
    "11": pgettext_lazy("kind of care", "outpatient"),
    "12": pgettext_lazy("kind of care", "outpatient registration"),
    "13": pgettext_lazy("kind of care", "emergency"),
    "14": pgettext_lazy("kind of care", "chronic and special disease"),
    "21": pgettext_lazy("kind of care", "inpatient"),
    "41": pgettext_lazy("kind of care", "pharmacy"),
}
# What the insurer answered: nothing was to be deducted, so a payment's words do not fit.
OUTCOME_WORDS: dict[str, Promise] = {
    Outcome.SUCCEEDED: pgettext_lazy("insurer", "accepted"),
    Outcome.DECLINED: pgettext_lazy("insurer", "refused"),
    Outcome.PENDING: pgettext_lazy("insurer", "in progress"),
    Outcome.UNKNOWN: pgettext_lazy("insurer", "not known"),
}
OPERATION_WORDS: dict[str, Promise] = {
    Operation.SIGN_IN: pgettext_lazy("insurance", "sign in"),
    Operation.SIGN_OUT: pgettext_lazy("insurance", "sign out"),
    Operation.PERSON: pgettext_lazy("insurance", "ask for a person"),
    Operation.CARD_READ: pgettext_lazy("insurance", "read a card or code"),
    Operation.BENEFIT_CHECK: pgettext_lazy("insurance", "check a benefit"),
    Operation.REGISTER: pgettext_lazy("insurance", "register a visit"),
    Operation.REGISTER_CANCEL: pgettext_lazy("insurance", "cancel a registration"),
    Operation.VISIT: pgettext_lazy("insurance", "tell of a visit"),
    Operation.VISIT_QUERY: pgettext_lazy("insurance", "ask for a visit"),
    Operation.LINES: pgettext_lazy("insurance", "send charges"),
    Operation.LINES_CANCEL: pgettext_lazy("insurance", "take charges back"),
    Operation.PRESETTLE: pgettext_lazy("insurance", "trial settlement"),
    Operation.SETTLE: pgettext_lazy("insurance", "settle"),
    Operation.SETTLE_REVERSE: pgettext_lazy("insurance", "take a settlement back"),
    Operation.SETTLE_QUERY: pgettext_lazy("insurance", "ask for a settlement"),
    Operation.REVERSE: pgettext_lazy("insurance", "undo a lost call"),
    Operation.CHRONIC_QUERY: pgettext_lazy("insurance", "ask for chronic diseases"),
    Operation.ADVICE_BEFORE: pgettext_lazy("insurance", "advice before"),
    Operation.ADVICE_DURING: pgettext_lazy("insurance", "advice during"),
    Operation.TOTALS: pgettext_lazy("insurance", "compare totals"),
    Operation.DETAILS: pgettext_lazy("insurance", "compare details"),
    Operation.FILE_UPLOAD: pgettext_lazy("insurance", "send a file"),
    Operation.FILE_DOWNLOAD: pgettext_lazy("insurance", "fetch a file"),
    Operation.FILE_TRANSFER: pgettext_lazy("insurance", "file care elsewhere"),
    Operation.FILE_CHRONIC: pgettext_lazy("insurance", "file a chronic disease"),
    Operation.TRANSFER_QUERY: pgettext_lazy("insurance", "ask for filings"),
    Operation.TRANSFER_END: pgettext_lazy("insurance", "take back a filing of care elsewhere"),
    Operation.CHRONIC_END: pgettext_lazy("insurance", "take back a chronic disease"),
    Operation.FAMILY_FILE: pgettext_lazy("insurance", "file a family account"),
    Operation.FAMILY_END: pgettext_lazy("insurance", "end a family account"),
    Operation.FAMILY_QUERY: pgettext_lazy("insurance", "ask for a family account"),
    Operation.MOBILE_LINES: pgettext_lazy("insurance", "send charges (mobile)"),
    Operation.MOBILE_ORDER: pgettext_lazy("insurance", "place an order (mobile)"),
    Operation.MOBILE_REFUND: pgettext_lazy("insurance", "refund (mobile)"),
    Operation.MOBILE_QUERY: pgettext_lazy("insurance", "ask for an order (mobile)"),
    Operation.MOBILE_REVOKE: pgettext_lazy("insurance", "take charges back (mobile)"),
    Operation.CODE_DECODE: pgettext_lazy("insurance", "read a code"),
    Operation.FACE_AUTHORISE: pgettext_lazy("insurance", "look at a face"),
    Operation.FACE_IDENTITY: pgettext_lazy("insurance", "whose face it was"),
}
# How an order stands at the mobile-pay centre (ordStas); any other code has no known meaning.
ORDER_WORDS: dict[str, Promise] = {
    "0": pgettext_lazy("order", "saved"),
    "1": pgettext_lazy("order", "priced"),
    "2": pgettext_lazy("order", "being settled or paid"),
    "3": pgettext_lazy("order", "own part paid, insurance not settled"),
    "4": pgettext_lazy("order", "insurance settled, own part not paid"),
    "5": pgettext_lazy("order", "settled in the hospital"),
    "6": pgettext_lazy("order", "settled and paid"),
    "7": pgettext_lazy("order", "all given back"),
    "8": pgettext_lazy("order", "insurance given back"),
    "9": pgettext_lazy("order", "own part given back"),
    "10": pgettext_lazy("order", "a part of the own part given back"),
    "11": pgettext_lazy("order", "insurance and a part of the own part given back"),
    "12": pgettext_lazy("order", "revoked"),
    "13": pgettext_lazy("order", "insurance revoked, own part not: the centre must act"),
    "14": pgettext_lazy("order", "abnormal: the centre must act"),
    "15": pgettext_lazy("order", "settlement failed"),
    "16": pgettext_lazy("order", "insurance failed, own part not undone: the centre must act"),
    "17": pgettext_lazy("order", "being given back"),
}
