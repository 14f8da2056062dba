"""What the actions of `POST /_control/act` have in common, whoever is asked to act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Model

from sandbox.world.registry import BadCall

Args = dict[str, Any]
Run = Callable[[str, Args], Any]


def plainly(refused: type[Exception]) -> Callable[[Run], Run]:
    """A refusal of the counterparty is a 400 of the control call, with its words."""

    def wrapped(run: Run) -> Run:
        def call(subject: str, args: Args) -> Any:
            try:
                return run(subject, args)
            except refused as error:
                raise BadCall(str(error)) from error

        return call

    return wrapped


def fen_of(args: Args, name: str, default: int) -> int:
    value = args.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadCall(f"{name} is an integer of fen, not negative")
    return value


def balance_of(args: Args) -> Args:
    """What a wallet is set to; where no limit of scanning is given, that stays as it is."""
    fields: Args = {"balance_fen": fen_of(args, "balance_fen", 0)}
    if "free_fen" in args:
        fields["free_fen"] = fen_of(args, "free_fen", 0)
    return fields


def rules_set(merchant: Model, names: Sequence[str], args: Args) -> Args:
    """Change the rules of a merchant that are given; all of them as they stand then."""
    changed = {name: fen_of(args, name, 0) for name in names if name in args}
    type(merchant)._default_manager.filter(pk=merchant.pk).update(**changed)
    merchant.refresh_from_db()
    return {name: getattr(merchant, name) for name in names}
