"""2204 and 2205: the lines of a claim at the insurer, sent in batches and taken away whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.json_values import dumps
from core.outcomes import Outcome
from core.prepared import PreparedQuery
from core.statements import prepared_cursor
from insurance.gateway.claim_values import LineResult
from insurance.gateway.nhsa.lines import LineBatch, lines_cancel, lines_send
from insurance.models import Claim, ClaimLine
from insurance.services.claims.asking import institution_signed_in
from insurance.services.claims.frozen import line_thawed, result_thawed
from insurance.services.claims.speaking import Pricing, fields_write
from insurance.services.exchange import Prepared, messages_deliver, messages_prepare

# One statement however many lines; the text is literal, so it is planned once.
_RESULTS = """
UPDATE insurance_claimline AS line SET own_fen = told.own_fen,
  over_limit_fen = told.over_limit_fen, first_own_fen = told.first_own_fen,
  in_scope_fen = told.in_scope_fen, level = told.level, own_share = told.own_share,
  price_limit = told.price_limit, limited_use = told.limited_use
FROM jsonb_to_recordset(%s::jsonb) AS told(number text, own_fen bigint, over_limit_fen bigint,
  first_own_fen bigint, in_scope_fen bigint, level text, own_share numeric, price_limit numeric,
  limited_use boolean)
WHERE line.claim_id = %s AND line.number = told.number
"""
_FORGOTTEN = {
    "own_fen": None, "over_limit_fen": None, "first_own_fen": None, "in_scope_fen": None,
}  # fmt: skip


def batch_of(claim: Claim) -> LineBatch:
    """Whose lines these are."""
    assert claim.visit is not None
    coverage = claim.visit.coverage
    return LineBatch(
        person_no=coverage.person_no,
        mdtrt_id=claim.visit.mdtrt_id,
        batch_no=claim.batch_no,
        insured_area=coverage.insured_area,
        disease_code=claim.disease_code,
    )


def results_of(claim: Claim) -> tuple[LineResult, ...] | None:
    """What the insurer made of every line; None while one of them is without an answer."""
    return _results(_lines(claim.pk))


_lines = PreparedQuery(lambda claim: ClaimLine.objects.filter(claim=claim).order_by("pk"), int)


def _results(rows: Iterable[ClaimLine]) -> tuple[LineResult, ...] | None:
    results = [result_thawed(row) for row in rows]
    known = tuple(one for one in results if one is not None)
    return known if len(known) == len(results) else None


def batch_settle(pricing: Pricing) -> tuple[LineResult, ...]:
    """Every line at the insurer, with what it made of each.

    Lines are unique within a visit, so a batch that was begun and is not whole is taken away first.
    """
    rows = _lines(pricing.claim.pk)
    known = _results(rows)
    if known is not None:
        return known
    if pricing.claim.lines_sent:
        batch_remove(pricing)
    calls = lines_send(
        batch_of(pricing.claim),
        [line_thawed(row) for row in rows],
        lines_per_call=pricing.institution.region.lines_per_call,
    )
    with pricing.step("lines_begun") as claim:
        fields_write(claim, lines_sent=True)
        prepared = messages_prepare(
            institution=pricing.institution, calls=calls, subject=claim.subject
        )
    results = _said(pricing, prepared)
    with pricing.step("lines"):
        _results_write(pricing.claim, results)
    return results


def _said(
    pricing: Pricing, prepared: Sequence[Prepared[tuple[LineResult, ...]]]
) -> tuple[LineResult, ...]:
    """Every batch said, up to the first that is not taken."""
    answers = messages_deliver(prepared)
    said = [answer for answer in answers if answer.outcome is Outcome.SUCCEEDED]
    results = [line for answer in said for line in answer.known]
    if len(said) < len(prepared):
        again = institution_signed_in(pricing.institution, answers[-1])
        if again is None:
            pricing.value_of(answers[-1])
        # The day's sign-in was void: what was not taken is said anew, one after the other.
        pricing.institution = again or pricing.institution
        for one in prepared[len(said) :]:
            told = pricing.say(one.call)
            results += told
    return tuple(results)


def batch_remove(pricing: Pricing) -> None:
    """2205 before the lines are sent anew. A refusal mostly means that there are none; should it
    mean anything else, the sending is refused as well."""
    answer = pricing.ask(lines_cancel(batch_of(pricing.claim)))
    if answer.outcome is not Outcome.DECLINED:
        pricing.value_of(answer)
    with pricing.step("lines_removed") as claim:
        fields_write(claim, lines_sent=False)
        ClaimLine.objects.filter(claim=claim).update(**_FORGOTTEN)


def _results_write(claim: Claim, told: Sequence[LineResult]) -> None:
    rows = [
        {
            "number": one.number,
            "own_fen": one.own_fen,
            "over_limit_fen": one.over_limit_fen,
            "first_own_fen": one.first_own_fen,
            "in_scope_fen": one.in_scope_fen,
            "level": one.level.value if one.level else "",
            "own_share": one.own_share,
            "price_limit": one.price_limit,
            "limited_use": one.limited_use,
        }
        for one in told
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_RESULTS, [dumps(rows), claim.pk])
