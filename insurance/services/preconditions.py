"""What must be right before the insurer is asked to pay: codes, prescriptions, prices.

Every line bears a national code (15 项编码); every drug a prescription by a doctor whom the insurer
knows, written before it is charged, at a hospital and at a pharmacy alike. A price over the limit
refuses nothing: the insurer leaves the rest to the patient, who is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import Conflict
from core.money import format_yuan
from insurance.catalogue import ItemCode, codes_at
from insurance.gateway.claim_values import ChargeLine
from insurance.models import DRUGS, Institution

# A drug charged as something else is a drug still: its code begins with its kind.
DRUG_CODES = ("X", "Z", "T", "J")
DOCTOR_CODE = re.compile(r"[A-Z][0-9]{8,19}")
# Two systems' clocks are not one; an order may seem this much younger than its charge.
SKEW = timedelta(minutes=5)
NAMED_MAX = 20


@dataclass(frozen=True, slots=True)
class LineFault:
    """One precondition that some lines miss. Only what `refuses` keeps the insurer from paying."""

    code: str
    message: str
    lines: tuple[str, ...]
    refuses: bool = True


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, and what the catalogue says of its item."""

    said: ChargeLine
    item: ItemCode | None

    @property
    def national_code(self) -> str:
        return self.said.national_code or (self.item.national_code if self.item else "")

    @property
    def drug(self) -> bool:
        by_code = self.national_code.startswith(DRUG_CODES)
        return by_code or self.said.category in DRUGS

    @property
    def prescribed(self) -> bool:
        return bool(self.said.prescription_no.strip())

    @property
    def over_limit(self) -> bool:
        limit = self.item.price_limit if self.item else None
        return limit is not None and self.said.unit_price > limit


Rule = tuple[str, Callable[[_Line, datetime], bool], str | Promise]
RULES: tuple[Rule, ...] = (
    (
        "no_national_code",
        lambda line, _at: not line.national_code,
        _("These items have no national code yet, so insurance cannot pay: %(items)s."),
    ),
    (
        "other_national_code",
        lambda line, _at: line.item is not None and line.national_code != line.item.national_code,
        _("The national code of these items is not the one in the catalogue: %(items)s."),
    ),
    (
        "no_prescription",
        lambda line, _at: line.drug and not line.prescribed,
        _("Insurance pays drugs on a prescription only; without one: %(items)s."),
    ),
    (
        "no_doctor_code",
        lambda line, _at: line.drug and not DOCTOR_CODE.fullmatch(line.said.doctor_code),
        _("The prescribing doctor has no national code: %(items)s."),
    ),
    (
        "ordered_ahead",
        lambda line, at: line.drug and line.said.ordered_at > at + SKEW,
        _("These drugs bear an order of a later time than their charge: %(items)s."),
    ),
)


def lines_check(
    *, institution: Institution, lines: Sequence[ChargeLine], at: datetime
) -> tuple[LineFault, ...]:
    """Every precondition that is missed, each with all of its lines; one statement."""
    return tuple(_faults(_with_items(institution, lines, at), at))


def lines_coded(
    *, institution: Institution, lines: Sequence[ChargeLine], at: datetime
) -> tuple[ChargeLine, ...]:
    """The lines as the insurer is to see them; raises Conflict naming every precondition missed.

    A line that came without a national code bears the catalogue's. One statement.
    """
    found = _with_items(institution, lines, at)
    if refusing := [fault for fault in _faults(found, at) if fault.refuses]:
        sentences = " ".join(fault.message for fault in refusing)
        raise Conflict(refusing[0].code, sentences, field="lines")
    return tuple(replace(line.said, national_code=line.national_code) for line in found)


def _with_items(institution: Institution, lines: Sequence[ChargeLine], at: datetime) -> list[_Line]:
    known: Mapping[str, ItemCode] = codes_at(
        institution, {line.hospital_code for line in lines}, clock.business_day(at)
    )
    return [_Line(line, known.get(line.hospital_code)) for line in lines]


def _faults(lines: Sequence[_Line], at: datetime) -> Iterator[LineFault]:
    for code, misses, sentence in RULES:
        if missing := [line for line in lines if misses(line, at)]:
            yield _fault(code, sentence, missing)
    if over := [line for line in lines if line.over_limit]:
        yield _fault(
            "over_price_limit",
            _("Above the insurer's price limit, the rest is paid by the patient: %(items)s."),
            over,
            named=_limited,
            refuses=False,
        )


def _fault(
    code: str,
    sentence: str | Promise,
    lines: Sequence[_Line],
    *,
    named: Callable[[_Line], str] | None = None,
    refuses: bool = True,
) -> LineFault:
    texts = list(dict.fromkeys((named or _named)(line) for line in lines))
    listed = gettext(", ").join(texts[:NAMED_MAX])
    if len(texts) > NAMED_MAX:
        listed += gettext(" and %d more") % (len(texts) - NAMED_MAX)
    numbers = tuple(line.said.number for line in lines)
    return LineFault(code, str(sentence) % {"items": listed}, numbers, refuses)


def _named(line: _Line) -> str:
    return f"{line.said.name} ({line.said.hospital_code})"


def _limited(line: _Line) -> str:
    assert line.item is not None and line.item.price_limit is not None
    return f"{_named(line)} {_yuan(line.said.unit_price)} > {_yuan(line.item.price_limit)}"


def _yuan(price: Decimal) -> str:
    """A unit price has up to six places; whole fen are shown as money."""
    fen = price * 100
    return format_yuan(int(fen)) if fen == int(fen) else f"¥{price.normalize():f}"
