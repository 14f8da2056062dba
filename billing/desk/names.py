"""Who did it, by name: a key of the trail is for machines and auditors."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from core.actors import ActorKind
from core.admin_values import ACTORS, word_of
from core.models import User


def names_of(keys: Iterable[str | None]) -> dict[str | None, str]:
    """A name for each key, in one statement; nobody is an empty name."""
    wanted = set(keys)
    codes = [code for kind, code in map(_parts, wanted) if kind == ActorKind.STAFF]
    rows = User.objects.filter(username__in=codes) if codes else ()
    known = {row.username: row.get_full_name() for row in rows}
    return {key: _name(*_parts(key), known) for key in wanted}


def _parts(key: str | None) -> tuple[str, str]:
    kind, _colon, code = (key or "").partition(":")
    return kind, code


def _name(kind: str, code: str, known: dict[str, str]) -> str:
    if kind == ActorKind.STAFF:
        return known.get(code) or code
    if kind == ActorKind.HIS:
        return _("operator %(code)s of the HIS") % {"code": code}
    if kind == ActorKind.CHANNEL:
        return str(word_of("channel", code))
    return str(ACTORS.get(kind, "")) if kind else ""
