"""What the page of a claim shows beside its fields: the split, its lines, what was said to the
insurer and how the claim came to be as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.admin_values import NONE, WORDS, actor_text, row_value, state_word, word_of
from core.models import StateChange
from core.money import format_yuan
from insurance.admin_words import OPERATION_WORDS
from insurance.models import Claim, InsuranceMessage, InsuranceReply, InsurerStatement
from insurance.models.claim import PARTS

ENTITY = "insurance.claim"
LINES_SHOWN = 200


def split_table(claim: Claim) -> SafeString:
    """Each part as the trial said and as the settlement said it."""
    words = (_("fund"), _("own account"), _("mutual aid"), _("hospital's part"), _("cash"))
    rows = [
        (word, _fen(getattr(claim, f"priced_{part}")), _fen(getattr(claim, f"settled_{part}")))
        for word, part in zip(words, PARTS, strict=True)
    ]
    return _table((_("part"), _("trial"), _("settled")), rows)


def fund_table(claim: Claim) -> SafeString | str:
    """Every payer inside the fund that pays something; these sums are shown, never posted."""
    parts = claim.fund_parts
    if parts is None:
        return NONE
    rows = [
        (word, format_yuan(fen))
        for name, word in _payers().items()
        if (fen := getattr(parts, name))
    ]
    return _table((_("payer"), _("amount")), rows) if rows else NONE


def _payers() -> dict[str, str]:
    return {
        "basic_fen": _("basic fund"),
        "civil_servant_fen": _("civil servants' aid"),
        "enterprise_fen": _("enterprise supplement"),
        "serious_illness_fen": _("serious illness insurance"),
        "large_expense_fen": _("large expense aid"),
        "medical_aid_fen": _("medical aid"),
        "disabled_soldier_fen": _("disabled soldiers' fund"),
        "other_fen": _("other funds"),
    }


def lines_table(claim: Claim) -> SafeString | str:
    """What the insurer made of every line."""
    rows = [
        (
            format_html("{} {}", line.said.get("name", ""), _machine(line.charge_no)),
            _machine(line.said.get("national_code", "")),
            format_yuan(line.amount_fen),
            *(_fen(getattr(line, name)) for name in _LINE_PARTS),
            str(word_of("item_level", line.level) or NONE),
        )
        for line in claim.lines.order_by("pk")[:LINES_SHOWN]
    ]
    heads = (
        _("charge"), _("national code"), _("amount"), _("wholly self-paid"), _("over the limit"),
        _("paid first by oneself"), _("within the catalogue"), _("class"),
    )  # fmt: skip
    return _table(heads, rows) if rows else NONE


_LINE_PARTS = ("own_fen", "over_limit_fen", "first_own_fen", "in_scope_fen")


def exchanges_table(claim: Claim) -> SafeString | str:
    """Every message about the claim and its registration, oldest first, with what was learnt; a
    message without a reply may or may not have arrived."""
    subjects = [claim.subject] + ([f"visit:{claim.visit_id}"] if claim.visit_id else [])
    return messages_table(subjects)


def messages_table(subjects: list[str]) -> SafeString | str:
    """What was said about these, by number; contents are not kept."""
    said = InsuranceMessage.objects.filter(subject__in=subjects).order_by("pk")
    rows = [
        (
            row_value(message, "created_at"),
            OPERATION_WORDS.get(message.operation, message.operation),
            _machine(message.code),
            _machine(message.message_no),
            *_learnt(list(message.replies.all())),
        )
        for message in said.prefetch_related("replies")
    ]
    heads = (
        _("time"), _("operation"), _("transaction"), _("message number"), _("outcome"),
        _("code"), _("text"), _("the insurer's number"),
    )  # fmt: skip
    return _table(heads, rows) if rows else NONE


def _learnt(replies: list[InsuranceReply]) -> tuple[Any, ...]:
    if not replies:
        return (_("no answer yet"), NONE, NONE, NONE)
    last = max(replies, key=lambda one: one.pk)
    return (
        word_of("heard", last.outcome),
        WORDS.get("failure", {}).get(last.code) or _machine(last.code),
        _sentence(last.text),
        _machine(last.platform_no),
    )


def history_table(claim: Claim) -> SafeString | str:
    """Every state it was in, who brought it there and why."""
    rows = [
        (
            row_value(change, "created_at"),
            state_word(ENTITY, change.from_status),
            state_word(ENTITY, change.to_status),
            actor_text(change.actor, change.actor_name),
            _machine(change.reason),
        )
        for change in StateChange.objects.filter(entity=ENTITY, entity_id=claim.pk).order_by("pk")
    ]
    heads = (_("time"), _("before"), _("after"), _("by whom"), _("why"))
    return _table(heads, rows) if rows else NONE


def reviews_table(claim: Claim) -> SafeString | str:
    """The questions asked about it."""
    rows = [
        (
            row_value(review, "opened_at"),
            word_of("insurance_reason", review.reason_code),
            review.get_status_display(),
            row_value(review, "decided_by"),
            _sentence(review.comment),
        )
        for review in claim.reviews.order_by("pk")
    ]
    heads = (_("opened at"), _("reason"), _("state"), _("decided by"), _("comment"))
    return _table(heads, rows) if rows else NONE


def differences_table(statement: InsurerStatement) -> SafeString | str:
    """Rows the two sides do not share; those of before that are gone stand at the end."""
    rows = [
        (
            row.get_kind_display(),
            _machine(row.settlement_no),
            _("yes") if row.refund else _("no"),
            _fen(row.ours_total_fen),
            _fen(row.theirs_total_fen),
            _fen(row.ours_fund_fen),
            _fen(row.theirs_fund_fen),
            _sentence(row.memo),
            row_value(row, "gone_at"),
        )
        for row in statement.differences.order_by(F("gone_at").asc(nulls_first=True), "pk")[
            :LINES_SHOWN
        ]
    ]
    heads = (
        _("difference"), _("settlement"), _("reversed"), _("bill (ours)"), _("bill (theirs)"),
        _("fund (ours)"), _("fund (theirs)"), _("its words"), _("gone at"),
    )  # fmt: skip
    return _table(heads, rows) if rows else NONE


def _table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> SafeString:
    head = format_html_join("", '<th scope="col">{}</th>', ((one,) for one in heads))
    body = format_html_join("", "<tr>{}</tr>", (
        (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows
    ))  # fmt: skip
    return format_html(
        '<div class="scroll-x" tabindex="0"><table class="fact-table"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        head,
        body,
    )


def _machine(text: str) -> SafeString | str:
    """What a machine wrote stands as it wrote it."""
    return format_html("<code>{}</code>", text) if text else NONE


def _sentence(text: str) -> SafeString | str:
    """Words may break over lines; the numbers beside them may not."""
    return format_html('<span class="words">{}</span>', text) if text else NONE


def _fen(value: int | None) -> str:
    return NONE if value is None else format_yuan(value)
