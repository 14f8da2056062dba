"""The day's sign-in (9001) of an institution's operator; its number rides on the day's messages."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from core import clock
from core.errors import Conflict
from core.outcomes import Outcome
from insurance.gateway.nhsa.sessions import sign_in
from insurance.models import Institution, InsuranceSession
from insurance.selectors import institution_speaking, site_of
from insurance.services.exchange import message_send


def session_open(*, institution: Institution) -> str:
    """Today's number, asked for once a day; a second caller of the same moment keeps the first's.

    Messages go without a number when the platform does not give one: it is no required field, so
    a refused sign-in raises here and stops nobody at a window.
    """
    row = _sessions(institution).first()
    return row.sign_no if row is not None else _signed_in(institution)


def session_renew(*, institution: Institution) -> str:
    """A new number after the platform said that today's holds no more."""
    _sessions(institution).delete()
    # Read anew: the sign-in itself must not bear the void number.
    return _signed_in(institution_speaking(institution.pk))


def _sessions(institution: Institution) -> QuerySet[InsuranceSession]:
    return InsuranceSession.objects.filter(
        institution=institution, operator_code=institution.operator_code, day=clock.today()
    )


def _signed_in(institution: Institution) -> str:
    answer = message_send(
        institution=institution,
        call=sign_in(site_of(institution).operator),
        subject=f"institution:{institution.pk}",
    )
    if answer.outcome is not Outcome.SUCCEEDED:
        raise Conflict("not_signed_in", answer.sentence)
    with transaction.atomic():
        row, _created = InsuranceSession.objects.get_or_create(
            institution=institution,
            operator_code=institution.operator_code,
            day=clock.today(),
            defaults={"sign_no": answer.known, "created_at": clock.now()},
        )
    return row.sign_no
