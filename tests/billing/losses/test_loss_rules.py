"""What the database refuses of a fund loss, whoever writes it by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import FundLoss, LossStep, LossStepKind, PaymentInstitution
from insurance.models import Claim
from tests.billing.losses import house
from tests.billing.losses.house import borne, done, firm

pytestmark = pytest.mark.django_db
K = LossStepKind
ENTRY = """
WITH e AS (INSERT INTO ledger_entry (reference, event, occurred_at, created_at, business_day,
    posting_count) VALUES (%s, %s, now(), now(), current_date, 2) RETURNING id, business_day)
INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
SELECT e.id, leg.line, a.id, leg.subject, leg.fen, e.business_day
  FROM e, (VALUES (1, %s, %s, %s::bigint), (2, %s, %s, %s)) AS leg (line, code, subject, fen)
  JOIN ledger_account a ON a.code = leg.code RETURNING entry_id
"""


@pytest.fixture
def loss() -> FundLoss:
    return borne(house.settled(), 2_000)


@pytest.fixture
def wechat() -> PaymentInstitution:
    return firm()


def insert(loss: FundLoss, kind: str, fen: int, of: PaymentInstitution | None, **given: Any) -> int:
    values = {
        "loss_id": loss.pk, "number": f"LS{LossStep.objects.count()}", "kind": kind,
        "institution_id": of.pk if of else None, "amount_fen": fen, "evidence": "手写",
        "status": "OPEN", "summary": "", "opened_by": "staff:a", "comment": "",
    } | given  # fmt: skip
    columns = ", ".join((*values, "occurred_at", "opened_at"))
    marks = ", ".join("%s" for _name in values)
    text = f"INSERT INTO billing_lossstep ({columns}) VALUES ({marks}, now(), now()) RETURNING id"
    with connection.cursor() as cursor:
        cursor.execute(text, list(values.values()))
        return int(cursor.fetchone()[0])


def run(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def refused(rule: str, act: Any) -> None:
    with pytest.raises(DatabaseError, match=rule), transaction.atomic():
        act()


def approve(step: int, entry: int | None = None, checker: str = "staff:b") -> None:
    text = ("UPDATE billing_lossstep SET status = 'APPROVED', decided_by = %s,"
            " decided_at = now(), entry_id = %s WHERE id = %s")  # fmt: skip
    run(text, checker, entry, step)


def entry_of(step: int, *legs: tuple[str, int, int], reference: str = "") -> int:
    row = LossStep.objects.get(pk=step)
    said = reference or f"{row.kind}:{row.number}"
    with connection.cursor() as cursor:
        cursor.execute(ENTRY, [said, row.kind, *legs[0], *legs[1]])
        return int(cursor.fetchone()[0])


def test_no_step_is_born_decided(loss: FundLoss, wechat: PaymentInstitution) -> None:
    given = {"status": "REJECTED", "decided_by": "staff:b", "decided_at": "2026-11-20T10:00:00Z"}
    refused("asked_first", lambda: insert(loss, K.CLAIMED, 1, wechat, **given))


def test_no_more_is_claimed_than_was_borne(loss: FundLoss, wechat: PaymentInstitution) -> None:
    refused("within_borne", lambda: insert(loss, K.CLAIMED, 2_001, wechat))
    refused("within_borne", lambda: insert(loss, K.TAKEN_BACK, 2_001, None))
    done(loss, K.CLAIMED, 1_500, wechat)
    refused("within_borne", lambda: insert(loss, K.TAKEN_BACK, 501, None))
    refused("within_claimed", lambda: insert(loss, K.COLLECTED, 1_501, wechat))
    refused("within_claimed", lambda: insert(loss, K.WRITTEN_OFF, 1, firm("alipay")))
    insert(loss, K.COLLECTED, 1_500, wechat)


def test_nothing_is_claimed_of_what_was_not_approved(wechat: PaymentInstitution) -> None:
    loss = house.recorded(house.settled())
    run("UPDATE billing_lossstep SET status = 'WITHDRAWN', decided_at = now()")
    refused("within_borne", lambda: insert(loss, K.CLAIMED, 1, wechat))


def test_no_more_is_borne_than_was_settled(loss: FundLoss) -> None:
    other = FundLoss.objects.create(
        number="FL2", claim=loss.claim, agency=loss.agency, reason="other", explanation="x",
        opened_by="staff:a", created_at=loss.created_at,
    )  # fmt: skip
    refused("within_settlement", lambda: insert(other, K.BORNE, 953, None))
    insert(other, K.BORNE, 952, None)


def test_one_open_step_and_one_bearing_a_loss(loss: FundLoss, wechat: PaymentInstitution) -> None:
    refused("loss_step_borne_once", lambda: insert(loss, K.BORNE, 1, None))
    insert(loss, K.CLAIMED, 1, wechat)
    refused("loss_step_one_open", lambda: insert(loss, K.CLAIMED, 1, wechat))


def test_a_step_names_whom_it_is_about_and_an_amount(
    loss: FundLoss, wechat: PaymentInstitution
) -> None:
    refused("loss_step_institution", lambda: insert(loss, K.CLAIMED, 1, None))
    refused("loss_step_institution", lambda: insert(loss, K.TAKEN_BACK, 1, wechat))
    refused("loss_step_amount_positive", lambda: insert(loss, K.CLAIMED, 0, wechat))
    refused("loss_step_kind", lambda: insert(loss, "gift", 1, None))


def test_an_approval_has_its_own_entry_and_another_person(
    loss: FundLoss, wechat: PaymentInstitution
) -> None:
    step = insert(loss, K.CLAIMED, 700, wechat)
    done_before = LossStep.objects.get(kind=K.BORNE).entry_id
    right = (("recourse_receivable/wechat", 0, 700), ("fund_loss", 0, -700))
    run("INSERT INTO ledger_account (code, family, kind, needs_subject) VALUES"
        " ('recourse_receivable/wechat', 'recourse_receivable', 'asset', false)")  # fmt: skip
    refused("loss_step_approved_is_posted", lambda: approve(step))
    refused("is_posted|loss_step_entry_once", lambda: approve(step, done_before))
    refused("is_posted", lambda: approve(step, entry_of(step, *right, reference="recourse:x")))
    less = (("recourse_receivable/wechat", 0, 699), ("fund_loss", 0, -699))
    refused("is_posted", lambda: approve(step, entry_of(step, *less)))
    turned = (("fund_receivable/440100", loss.claim_id, 700), ("fund_loss", 0, -700))
    refused("is_posted", lambda: approve(step, entry_of(step, *turned)))
    refused("maker_checker", lambda: approve(step, entry_of(step, *right), "staff:a"))
    refused("loss_step_approved_is_posted", lambda: run(
        "UPDATE billing_lossstep SET status = 'REJECTED', decided_by = 'staff:b',"
        " decided_at = now(), entry_id = 1 WHERE id = %s", step))  # fmt: skip
    approve(step, entry_of(step, *right))


def test_a_loss_of_one_claim_is_not_posted_on_another(loss: FundLoss) -> None:
    step = insert(loss, K.TAKEN_BACK, 5, None)
    other = (("fund_receivable/440100", loss.claim_id + 1, 5), ("fund_loss", 0, -5))
    refused("is_posted", lambda: approve(step, entry_of(step, *other)))
    own = (("fund_receivable/440100", loss.claim_id, 5), ("fund_loss", 0, -5))
    approve(step, entry_of(step, *own))


def test_only_a_standing_settlement_is_borne() -> None:
    loss = house.recorded(house.settled())
    Claim.objects.update(status="REVERSING", due_at=loss.created_at)
    step = house.waiting(loss)
    legs = (("fund_loss", 0, 2_952), ("fund_receivable/440100", loss.claim_id, -2_952))
    run("INSERT INTO ledger_account (code, family, kind, needs_subject) VALUES"
        " ('fund_loss', 'fund_loss', 'expense', false)")  # fmt: skip
    refused("claim_settled", lambda: approve(step.pk, entry_of(step.pk, *legs)))


def test_what_was_asked_and_decided_stays(loss: FundLoss, wechat: PaymentInstitution) -> None:
    reopened = "status = 'OPEN', decided_at = NULL, entry_id = NULL"
    for change in ("amount_fen = 1", reopened, "comment = 'x'", "entry_id = 1"):
        refused("decided_stays", lambda to=change: run(f"UPDATE billing_lossstep SET {to}"))
    step = insert(loss, K.CLAIMED, 7, wechat)
    for change in ("amount_fen = 6", "opened_by = 'staff:c'", "evidence = ''", "number = 'x'"):
        refused("asked_stays", lambda to=change: run(
            f"UPDATE billing_lossstep SET {to} WHERE id = %s", step))  # fmt: skip
    refused("kept", lambda: run("DELETE FROM billing_lossstep WHERE id = %s", step))
    refused("kept|cannot TRUNCATE", lambda: run("TRUNCATE billing_lossstep"))
    refused("append-only", lambda: run("UPDATE billing_fundloss SET reason = 'other'"))
    refused("append-only", lambda: run("DELETE FROM billing_fundloss"))
