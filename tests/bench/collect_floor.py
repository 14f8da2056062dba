"""The floor of `collect`: the rows a collect by agreement leaves, in one statement and one commit.

It locks and reads what a collect must read (the bill, whatever collects run on it, what is owed,
the agreement with its limits and its use today, who is to be told) and writes what a collect
leaves: the statuses at their end, and every trace of the way there. Steps that only pass through a
row are missing; so is everything that makes a collect survive a lost answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.bench.bills import CLEARING

FLOOR = """
WITH bill AS MATERIALIZED (
  SELECT i.id, i.client_id, i.patient_id, c.name AS hospital, i.operator_code,
    left(p.name, 1) || repeat('*', length(p.name) - 1) AS patient, right(i.invoice_no, 6) AS tail
  FROM billing_invoice i JOIN patients_patient p ON p.id = i.patient_id
  JOIN patients_encounter e ON e.id = i.encounter_id JOIN patients_campus c ON c.id = e.campus_id
  WHERE i.client_id = %(client)s AND i.invoice_no = %(invoice_no)s AND i.status = 'ISSUED'
    AND NOT EXISTS (SELECT FROM billing_collectrequest r
      WHERE (r.invoice_id = i.id AND r.status = 'RUNNING')
        OR (r.client_id = i.client_id AND r.request_no = %(request_no)s))
  FOR UPDATE OF i
), owed AS MATERIALIZED (
  SELECT sum(l.amount_fen)::bigint AS fen FROM ledger_posting l
  WHERE l.account_id = %(receivable)s AND l.subject = (SELECT id FROM bill) AND l.subject > 0
), agreement AS MATERIALIZED (
  SELECT a.id, a.holder_id, n.merchant_id, n.single_fen, n.daily_fen, n.daily_count,
    m.channel, m.secrets, a.contract_id
  FROM bill JOIN billing_agreementpatient ap ON ap.patient_id = bill.patient_id AND ap.active
  JOIN billing_agreement a ON a.id = ap.agreement_id AND a.status = 'ACTIVE'
  JOIN patients_patientaccess pa ON pa.user_id = a.holder_id AND pa.patient_id = bill.patient_id
    AND pa.may_pay
  JOIN billing_agreementplan n ON n.id = a.plan_id
  JOIN billing_merchant m ON m.id = n.merchant_id AND m.active
  JOIN billing_paymentinstitution f ON f.id = m.institution_id AND NOT f.suspended
    AND %(day)s BETWEEN f.agreement_from AND f.agreement_until
  ORDER BY a.preference, a.id FOR UPDATE OF a
), used AS MATERIALIZED (
  SELECT coalesce(sum(t.amount_fen), 0) AS fen, count(*) AS times FROM billing_paymenttransaction t
  WHERE t.agreement_id IN (SELECT id FROM agreement) AND t.business_day = %(day)s
    AND t.kind = 'CAPTURE' AND t.status IN ('CREATED', 'PENDING', 'UNKNOWN', 'SUCCEEDED')
), tender AS MATERIALIZED (
  SELECT bill.*, owed.fen, agreement.id AS agreement_id, agreement.holder_id,
    agreement.merchant_id, agreement.channel
  FROM bill, owed, agreement, used
  WHERE owed.fen > 0 AND owed.fen <= single_fen AND used.fen + owed.fen <= daily_fen
    AND used.times < daily_count
), collect AS (
  INSERT INTO billing_collectrequest (client_id, request_no, input_hash, invoice_id, method,
    auth_code, status, decline_code, operator_kind, operator_code, operator_name, created_at)
  SELECT client_id, %(request_no)s, %(input_hash)s, id, 'auto', '', 'PAID', '', 'his',
    %(operator)s, %(operator_name)s, %(now)s FROM tender RETURNING id
), payment AS (
  INSERT INTO billing_payment (payment_no, purpose, invoice_id, collect_id, channel, mode,
    merchant_id, agreement_id, payer_id, amount_fen, created_at)
  SELECT %(payment_no)s, 'invoice', t.id, collect.id, t.channel, 'agreement', t.merchant_id,
    t.agreement_id, t.holder_id, t.fen, %(now)s FROM tender t, collect RETURNING id
), capture AS (
  INSERT INTO billing_paymenttransaction (payment_id, kind, number, status, amount_fen,
    agreement_id, business_day, channel_no, code, message, not_found_count, attempts, closing,
    expires_at, occurred_at, created_at, came_back_count)
  SELECT payment.id, 'CAPTURE', %(number)s, 'SUCCEEDED', t.fen, t.agreement_id, %(day)s,
    %(channel_no)s, '', '', 0, 0, false, %(expires_at)s, %(now)s, %(now)s, 0
  FROM tender t, payment RETURNING id
), entry AS (
  INSERT INTO ledger_entry (reference, event, occurred_at, created_at, business_day, invoice_id,
    posting_count)
  SELECT %(reference)s, 'captured', %(now)s, %(now)s, %(day)s, t.id, 2 FROM tender t
  ON CONFLICT (reference) DO NOTHING RETURNING id, business_day
), postings AS (
  INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
  SELECT entry.id, leg.line_no, leg.account_id, leg.subject, leg.amount_fen, entry.business_day
  FROM entry, tender t, LATERAL (VALUES (1::smallint, %(clearing)s::bigint, 0::bigint, t.fen),
    (2::smallint, %(receivable)s::bigint, t.id, -t.fen)
  ) AS leg (line_no, account_id, subject, amount_fen)
), paid AS (
  UPDATE billing_invoice i SET status = 'PAID', due_at = NULL, action = NULL,
    event_seq = i.event_seq + 1
  FROM tender t WHERE i.id = t.id RETURNING i.id, i.client_id, i.event_seq
), event AS (
  INSERT INTO billing_hisevent
    (client_id, invoice_id, seq, type, data, attempts, occurred_at, created_at)
  SELECT client_id, id, event_seq, 'paid', %(event)s, 0, %(now)s, %(now)s FROM paid
), told AS (
  INSERT INTO patients_notification (key, kind, user_id, patient_id, messenger, address, facts,
    status, attempts, due_at, last_error, created_at)
  SELECT CASE who.user_id WHEN t.holder_id THEN 'deducted/' || %(number)s
      ELSE 'paid/' || %(number)s || '/' || who.user_id END,
    CASE who.user_id WHEN t.holder_id THEN 'deducted' ELSE 'paid' END, who.user_id, t.patient_id,
    'wechat_template', '', jsonb_build_object('hospital', t.hospital, 'name', t.patient,
      'amount_fen', t.fen, 'number', t.tail), 'WAITING', 0, %(now)s, '', %(now)s
  FROM tender t, LATERAL (
    SELECT t.holder_id AS user_id UNION SELECT a.user_id FROM patients_patientaccess a
    WHERE a.patient_id = t.patient_id AND a.relation = 'self' AND a.may_view) AS who
  ON CONFLICT DO NOTHING
), steps AS (
  INSERT INTO core_statechange (entity, entity_id, from_status, to_status, actor, actor_name,
    reason, fields, created_at)
  SELECT step.entity, step.id, step.old, step.new, step.actor, step.actor_name, step.reason,
    step.fields::jsonb, %(now)s
  FROM tender t, collect, capture, LATERAL (VALUES
    ('billing.invoice', t.id, 'ISSUED', 'COLLECTING', 'his:' || %(operator)s, %(operator_name)s,
      %(request_no)s, %(started)s),
    ('billing.paymenttransaction', capture.id, 'CREATED', 'SUCCEEDED', 'system:system', '', '',
      %(captured)s),
    ('billing.invoice', t.id, 'COLLECTING', 'PAID', 'system:system', '', '', %(ended)s),
    ('billing.collectrequest', collect.id, 'RUNNING', 'PAID', 'system:system', '', '', %(wiped)s)
  ) AS step (entity, id, old, new, actor, actor_name, reason, fields)
)
SELECT id FROM capture
"""
ENDED = json.dumps({"due_at": None, "action": None})
WIPED = json.dumps({"auth_code": "***"})


def floor_collect(
    link: psycopg.Connection[Any], *, client_id: int, operator: tuple[str, str], channel_no: str
) -> Callable[[int], None]:
    """What collects bill `n` over this connection: BEGIN, one prepared statement, COMMIT."""
    cursor = link.cursor()
    codes = ["patient_receivable", CLEARING]
    cursor.execute("SELECT code, id FROM ledger_account WHERE code = ANY(%s)", [codes])
    accounts = dict(cursor.fetchall())
    link.commit()
    fixed = {
        "client": client_id,
        "operator": operator[0],
        "operator_name": operator[1],
        "channel_no": channel_no,
        "receivable": accounts[codes[0]],
        "clearing": accounts[codes[1]],
        "ended": ENDED,
        "wiped": WIPED,
    }

    def collect(bill: int) -> None:
        cursor.execute(FLOOR, fixed | _values(bill, channel_no), prepare=True)
        if cursor.fetchone() is None:
            raise RuntimeError(f"the floor could not collect bill {bill}")
        link.commit()

    return collect


def _values(bill: int, channel_no: str) -> dict[str, object]:
    now = datetime.now(UTC).astimezone()
    number, payment_no = f"TX{bill:028d}", f"PY{bill:028d}"
    told = {"amount_fen": 1000, "payment_no": payment_no, "channel": "wechat_pay"}
    captured = {"channel_no": channel_no, "code": "", "message": "", "occurred_at": str(now)}
    return {
        "invoice_no": f"B{bill}",
        "request_no": f"R{bill}",
        "input_hash": f"{bill:064d}",
        "now": now,
        "day": now.date(),
        "expires_at": now + timedelta(seconds=900),
        "number": number,
        "payment_no": payment_no,
        "reference": f"captured:{number}",
        "event": json.dumps(told),
        "started": json.dumps({"due_at": str(now + timedelta(seconds=3)), "action": None}),
        "captured": json.dumps(captured | {"due_at": None, "action": None}),
    }
