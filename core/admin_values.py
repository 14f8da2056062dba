"""What the admin shows for a stored value: words, yuan, local times and names, never a dump.

Nouns: `WORDS` holds, per field, the word for each code; every app adds its own with `words_add`.
What a machine wrote and only a machine reads (numbers, addresses, bodies) stands in `code` as it
is. The same words serve the keys of a JSON field, which becomes a list of labels and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import display_for_value
from django.db.models import Manager
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from core.actors import ActorKind
from core.admin_words import COLUMNS
from core.money import format_yuan
from core.redaction import shortened

Word = str | Promise
NONE = "—"
WALLET_IDS = frozenset(("payer_id", "openid", "user_id"))
ACTORS: dict[str, Promise] = {
    ActorKind.STAFF: pgettext_lazy("actor", "staff"),
    ActorKind.PATIENT: pgettext_lazy("actor", "payer"),
    ActorKind.HIS: pgettext_lazy("actor", "HIS"),
    ActorKind.CHANNEL: pgettext_lazy("actor", "channel"),
    ActorKind.SYSTEM: pgettext_lazy("actor", "system"),
}
# Fields that hold an actor's key, `kind:code`.
ACTOR_FIELDS = frozenset({"actor", "cashier", "decided_by", "opened_by", "self_pay_operator"})
# Fields that hold the name of a model, and those that hold a state of it.
MODEL_FIELDS = frozenset({"entity", "subject"})
STATE_FIELDS = frozenset({"from_status", "to_status"})
# Fields whose text comes from a machine and is quoted, unless `WORDS` knows it.
MACHINE_FIELDS = frozenset({
    "address", "app_id", "approver_code", "base_url", "code", "content_hash", "contract_code",
    "contract_id", "decline_code", "error", "event_no", "events_url", "failure_detail",
    "input_hash", "institution_code", "key", "last_error", "licence_no", "message", "operator_code",
    "outcome", "plan_id", "reason", "reference", "request_body", "request_sha256", "response_body",
    "url",
})  # fmt: skip
_HTTP = {"GET": "GET", "POST": "POST", "PUT": "PUT", "DELETE": "DELETE"}
WORDS: dict[str, dict[str, Word]] = {"method": dict(_HTTP)}


def words_add(field: str, words: Mapping[str, Word]) -> None:
    """Say what the codes of a field mean."""
    WORDS.setdefault(field, {}).update(words)


def word_of(field: str, code: str) -> Word:
    """The word for a code; the code itself when nobody gave it one."""
    return WORDS.get(field, {}).get(code, code)


def row_value(row: Any, field: str) -> Any:
    """One field of a row, as a person reads it."""
    value = getattr(row, field)
    if isinstance(value, Manager):
        return _(", ").join(str(one) for one in value.all()) or NONE
    if field in STATE_FIELDS:
        return state_word(row.entity, value)
    if field in ACTOR_FIELDS and isinstance(value, str):
        return actor_text(value, getattr(row, f"{field}_name", ""))
    word = getattr(row, f"get_{field}_display", None)
    if word is not None and value not in WORDS.get(field, {}):
        return word() or NONE
    return value_text(field, value)


def value_text(field: str, value: Any, *, quoted: bool = False) -> Any:
    """A value under the name of its field. `quoted` puts text without a word into `code`."""
    if value is None or value in ("", [], {}):
        return NONE
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return format_yuan(value) if field.endswith("_fen") else value
    if isinstance(value, str):
        return _text(field, value, quoted or field in MACHINE_FIELDS)
    return _many(field, value) if isinstance(value, Mapping | list | tuple) else _plain(value)


def facts_list(facts: Mapping[str, Any]) -> SafeString:
    """Labels and values; a key nobody gave a word stands as it is."""
    rows = ((_label(str(key)), value_text(str(key), _safe(str(key), facts[key]), quoted=True))
            for key in facts)  # fmt: skip
    body = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows)
    return format_html('<dl class="fact-list">{}</dl>', body)


def _safe(key: str, value: Any) -> Any:
    """A wallet's own id for its user: enough of it to compare two, not enough to use."""
    return shortened(value) if key in WALLET_IDS and isinstance(value, str) and value else value


def actor_text(key: str, name: str = "") -> Word | SafeString:
    """People by name, with what they are and the code they log in by; machines by what they are."""
    kind, _colon, code = key.partition(":")
    word = ACTORS.get(kind, kind)
    if kind == ActorKind.SYSTEM:
        return word
    if kind == ActorKind.CHANNEL:
        return word_of("channel", code)
    known = format_html("{} {}", word, code)
    return format_html('{} <span class="small keep">{}</span>', name, known) if name else known


def model_word(name: str) -> Word:
    """`billing.invoice` as its table is called."""
    try:
        return str(apps.get_model(name)._meta.verbose_name)
    except (LookupError, ValueError):
        return word_of("subject", name)


def state_word(entity: str, status: str) -> Word:
    """A state as its own table names it."""
    try:
        field = apps.get_model(entity)._meta.get_field("status")
    except (LookupError, ValueError):
        return status
    words: dict[str, Word] = dict(getattr(field, "flatchoices", ()))
    return words.get(status, status)


def _many(field: str, value: Mapping[str, Any] | list[Any] | tuple[Any, ...]) -> SafeString:
    if isinstance(value, Mapping):
        return facts_list(value)
    return format_html_join(_(", "), "{}", ((value_text(field, v, quoted=True),) for v in value))


def _plain(value: Any) -> Any:
    return display_for_value(value, NONE) if isinstance(value, date) else value


def _text(field: str, value: str, quoted: bool) -> Any:
    word = WORDS.get(field, {}).get(value)
    if word is not None:
        return word
    if field in MODEL_FIELDS:
        return model_word(value)
    if field in ACTOR_FIELDS:
        return actor_text(value)
    moment = _moment(value)
    if moment is not None:
        return display_for_value(moment, NONE)
    if " -> " in value:
        return " → ".join(str(word_of(field, part)) for part in value.split(" -> "))
    return format_html("<code>{}</code>", value) if quoted and _is_latin(value) else value


def _label(key: str) -> Any:
    return (
        COLUMNS.get(key) or WORDS.get("label", {}).get(key) or format_html("<code>{}</code>", key)
    )


def _is_latin(value: str) -> bool:
    return value.isascii() and any(letter.isalpha() for letter in value)


def _moment(value: str) -> datetime | None:
    """An instant as JSON keeps it."""
    if len(value) < len("2026-11-20T10:00:00") or value[10:11] != "T":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
