"""Consents are given to the current text and taken back whole; both leave an audit row."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput
from core.models import User
from patients.consents.texts import ConsentText, consent_text
from patients.locks import consents_locked
from patients.models import Consent, ConsentPurpose


def consent_give(
    *,
    user: User,
    purpose: str,
    by: Actor,
    text_hash: str = "",
    address: str = "",
) -> Consent:
    """Record a yes to the current text; a yes that stands already is returned as it is.

    `text_hash` names the text that was on the screen: a yes to another one is refused, so that
    nobody agrees to words that were replaced while they read.
    """
    text = _text(purpose)
    if text_hash and text_hash != text.sha256:
        raise BadInput("text_changed", _("The text has changed. Read it again, then choose."))
    with transaction.atomic():
        consents_locked(user_id=user.pk, purpose=purpose)
        standing = Consent.objects.standing(purpose, text.version).filter(user=user).first()
        if standing is not None:
            return standing
        given = Consent.objects.create(
            user=user,
            purpose=purpose,
            text_version=text.version,
            text_hash=text.sha256,
            given_at=clock.now(),
        )
        _recorded(given, "consent_given", by, address)
    return given


def consent_withdraw(*, user: User, purpose: str, by: Actor, address: str = "") -> int:
    """Take back every yes to a purpose, whatever its version; how many stood. Safe to repeat.

    What it allowed ends in the same transaction (`settings.CONSENT_FOLLOWERS`).
    """
    _text(purpose)
    with transaction.atomic():
        consents_locked(user_id=user.pk, purpose=purpose)
        rows = Consent.objects.filter(user=user, purpose=purpose, withdrawn_at__isnull=True)
        standing = list(rows.order_by("pk"))
        rows.update(withdrawn_at=clock.now())
        for one in standing:
            _recorded(one, "consent_withdrawn", by, address)
        for follow in _followers(purpose):
            follow(user=user, by=by)
    return len(standing)


def _followers(purpose: str) -> list[Callable[..., object]]:
    """Who must act at once when this yes is taken back: apps above this one, by dotted path."""
    paths: tuple[str, ...] = settings.CONSENT_FOLLOWERS.get(str(purpose), ())
    return [import_string(path) for path in paths]


def _text(purpose: str) -> ConsentText:
    if purpose not in ConsentPurpose.values:
        raise BadInput("unknown_purpose", _("There is no such consent."), "purpose")
    return consent_text(str(purpose))


def _recorded(row: Consent, action: str, by: Actor, address: str) -> None:
    record(
        by=by,
        action=action,
        subject="patients.consent",
        subject_id=row.pk,
        detail={
            "purpose": str(row.purpose),
            "version": row.text_version,
            "user": row.user_id,
        },
        address=address,
    )
