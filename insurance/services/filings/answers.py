"""What became of a filing, as the person or clerk may read it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from insurance.gateway.envelope import sentence_refused
from insurance.models import Filing, FilingStatus
from insurance.services.filings.learning import BY_HAND, NOT_EXECUTED

# Whether it still stands, by what the hospital found out.
_SAID = {
    True: _("The hospital asked the insurer: the filing still stands."),
    False: _("The hospital asked the insurer: nothing was filed. You can file again."),
}


def filing_sentence(row: Filing) -> str | Promise:
    """Why it is not filed, or stands although it was to be taken back; empty where all is well."""
    if row.status in Filing.IN_DOUBT or not row.answer_code:
        return ""
    if row.answer_code == BY_HAND:
        return _SAID[row.status == FilingStatus.FILED]
    if row.answer_code != NOT_EXECUTED:
        return sentence_refused(row.answer_text)
    if row.status == FilingStatus.FILED:
        return _("The insurer was not reached: the filing still stands.")
    return _("The insurer was not reached: nothing was filed. You can file again.")
