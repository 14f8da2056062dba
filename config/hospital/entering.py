"""The hospital's own data brought to the database: in one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import AgreementPlan
from billing.services.partners import institution_set, merchant_set, plan_set
from config.hospital.form import hospital_form
from core.actors import Actor
from core.declared import Change
from core.errors import BadInput
from core.locks import command_lock
from patients.services.places import campus_set, his_client_set

T = TypeVar("T")
Row = dict[str, Any]


@dataclass(slots=True)
class Entered:
    """What changed, and the tokens that were made: they are known here once."""

    changes: list[Change] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def add(self, change: Change | None) -> None:
        if change is not None:
            self.changes.append(change)


def hospital_enter(data: Any, *, by: Actor, dry_run: bool = False) -> Entered:
    """Make or change what `data` names. A dry run does all of it and takes it back."""
    rows = hospital_form(data)
    entered = Entered()
    with transaction.atomic():
        command_lock("load_hospital")
        for code, row in _keyed(rows, "campuses"):
            with _placed(f"campuses {code}"):
                entered.add(campus_set(code=code, values=row, by=by))
        for code, row in _keyed(rows, "his_clients"):
            with _placed(f"his_clients {code}"):
                _client(entered, code, row, by)
        for code, row in _keyed(rows, "institutions"):
            with _placed(f"institutions {code}"):
                entered.add(institution_set(code=code, values=row, by=by))
        for code, row in _keyed(rows, "merchants", _merchant_key):
            _merchant(entered, code, row, by)
        if dry_run:
            entered.tokens = dict.fromkeys(entered.tokens, "")
            transaction.set_rollback(True)
    return entered


def _client(entered: Entered, code: str, row: Row, by: Actor) -> None:
    campuses = row.pop("campuses", None)
    token = row.pop("token", "")
    done = his_client_set(code=code, values=row, campuses=campuses, token=token, by=by)
    entered.add(done.change)
    if done.token:
        entered.tokens[code] = done.token


def _merchant(entered: Entered, code: str, row: Row, by: Actor) -> None:
    channel, merchant_no = row.pop("channel"), row.pop("merchant_no")
    plans = {"plans": row.pop("plans", [])}
    known = AgreementPlan.objects.filter(
        merchant__channel=channel, merchant__merchant_no=merchant_no
    ).exists()
    with _placed(f"merchants {code}"):
        entered.add(
            merchant_set(
                channel=channel,
                merchant_no=merchant_no,
                values=row,
                agreements=known or bool(plans["plans"]),
                by=by,
            )
        )
        for plan_id, plan in _keyed(plans, "plans", lambda one: str(one.pop("plan_id"))):
            with _placed(f"plans {plan_id}"):
                entered.add(
                    plan_set(
                        channel=channel,
                        merchant_no=merchant_no,
                        plan_id=plan_id,
                        values=plan,
                        by=by,
                    )
                )


def _keyed(
    rows: dict[str, list[Row]],
    name: str,
    key: Callable[[Row], str] = lambda row: str(row.pop("code")),
) -> Iterator[tuple[str, Row]]:
    """Each row with what names it; named twice, the file contradicts itself."""
    seen: set[str] = set()
    for row in rows.get(name, []):
        code = key(row)
        if code in seen:
            raise BadInput("named_twice", f"{name} {code}: " + _("it is named twice"))
        seen.add(code)
        yield code, row


def _merchant_key(row: Row) -> str:
    return f"{row['channel']}/{row['merchant_no']}"


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """A refusal says which row of the file it is about."""
    try:
        yield
    except BadInput as refusal:
        path = f"{where}: {refusal.field}" if refusal.field else where
        raise BadInput(refusal.code, f"{path}: {refusal.message}") from None
