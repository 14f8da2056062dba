"""Which certificate numbers and phones can exist; the forms stored are the normal ones."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from core import clock
from core.errors import BadInput
from patients.models import IdType

# Mainland mobile, mainland landline with area code, or international with its plus.
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[1-9][0-9]{1,2}-?[2-9][0-9]{6,7}|\+[1-9][0-9]{6,14}")
# Province, county, day of birth, sequence, check digit. The counties are not looked up: codes were
# given, split and retired while their people kept the numbers, and the HIS's register knows them.
_RESIDENT = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{15}[0-9X]")
_NUMBER = re.compile(r"[0-9A-Z()/-]{4,32}")
_MAINLAND = "+86"


def _plain(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).split()).upper()


def certificate_number(*, id_type: str, value: str, field: str = "id_number") -> str:
    """The normal form. A resident's number must carry its check digit (GB 11643): one that does not
    can only be mistyped, whatever the register says."""
    number = _plain(value)
    if id_type in (IdType.ID_CARD, IdType.HOUSEHOLD):
        if not _resident_number(number):
            text = _("This is not a valid ID number. Compare it with the card.")
            raise BadInput("bad_id_number", text, field)
        return number
    if not _NUMBER.fullmatch(number):
        raise BadInput("bad_id_number", _("This is not a certificate number."), field)
    return number


def _resident_number(number: str) -> bool:
    if not _RESIDENT.fullmatch(number) or ric.calc_check_digit(number) != number[-1]:
        return False
    try:
        return ric.get_birth_date(number) <= clock.today()
    except ValidationError:
        return False


def phone_number(value: str, *, field: str = "phone") -> str:
    """The normal form of a phone: no spaces, no country code at home."""
    phone = _plain(value)
    if phone.startswith(_MAINLAND):
        phone = phone.removeprefix(_MAINLAND)
    if not _PHONE.fullmatch(phone):
        raise BadInput("bad_phone", _("This is not a phone number."), field)
    return phone
