"""The floor of `claim`: the rows that pricing and settling leave, in one statement and one commit.

It locks the claim and reads what must be read (the visit, the code shown, the contract and today's
sign-in, registrations that live, relatives' accounts) and writes what is left in the end: coverage,
registration, six intents with their replies, the result of every line, both splits, the trace.
Steps that only pass through a row are missing, and so is everything that makes a claim survive a
lost answer. What the insurer said is read once from a claim that the services settled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from core import clock
from tests.insurance.samples import INSTITUTION

FLOOR = """
WITH claim AS MATERIALIZED (
  SELECT c.id, c.encounter_id, c.patient_id, c.institution_id, c.batch_no, c.amount_fen,
    c.med_type, c.disease_code, h.kind, h.number, h.card_serial, h.expires_at,
    i.id AS place_id, s.sign_no
  FROM insurance_claim c
  JOIN patients_encounter e ON e.id = c.encounter_id JOIN patients_patient p ON p.id = e.patient_id
  JOIN insurance_institution i ON i.id = c.institution_id
  JOIN insurance_insuranceregion r ON r.id = i.region_id
  JOIN patients_campus k ON k.id = i.campus_id
  JOIN insurance_insurancesession s ON s.institution_id = i.id
    AND s.operator_code = i.operator_code AND s.day = %(day)s
  JOIN insurance_heldcredential h ON h.encounter_id = e.id AND h.held AND h.expires_at > %(now)s
  WHERE c.id = %(claim)s AND c.status = 'OPEN' AND NOT c.releasing
    AND NOT EXISTS (SELECT FROM insurance_insuredvisit v WHERE v.encounter_id = e.id
      AND v.institution_id = i.id AND v.held AND v.cancelled_at IS NULL)
    AND NOT EXISTS (SELECT FROM insurance_familylink f
      WHERE f.member_id = c.patient_id AND f.ended_at IS NULL)
  FOR UPDATE OF c
), coverage AS (
  INSERT INTO insurance_coverage (patient_id, scheme, insured_area, person_no, person_index,
    person_class, state, civil_servant, balance_fen, paused_since, checked_at)
  SELECT claim.patient_id, m.scheme, m.insured_area, m.person_no, m.person_index, m.person_class,
    m.state, m.civil_servant, m.balance_fen, m.paused_since, %(now)s
  FROM claim, insurance_coverage m WHERE m.id = %(model_coverage)s
  ON CONFLICT (patient_id, insured_area, scheme) DO UPDATE SET state = EXCLUDED.state,
    balance_fen = EXCLUDED.balance_fen, checked_at = EXCLUDED.checked_at
  RETURNING id
), visit AS (
  INSERT INTO insurance_insuredvisit (encounter_id, institution_id, coverage_id, visit_no, mdtrt_id,
    by_his, kind, number, card_serial, held, expires_at, med_type, disease_code, told_hash,
    cancelled_at, created_at)
  SELECT claim.encounter_id, claim.institution_id, coverage.id, %(visit_no)s, %(mdtrt_id)s, false,
    claim.kind, claim.number, claim.card_serial, true, claim.expires_at, claim.med_type,
    claim.disease_code, %(told_hash)s, NULL, %(now)s
  FROM claim, coverage RETURNING id
), message AS (
  INSERT INTO insurance_insurancemessage (message_no, gateway, operation, code, body_hash,
    institution_id, sign_no, subject, created_at)
  SELECT %(message_no)s || said.place, 'nhsa', said.operation, said.code, said.body_hash,
    claim.institution_id, claim.sign_no,
    CASE said.code WHEN '2201' THEN 'visit:' || visit.id ELSE 'claim:' || claim.id END, %(now)s
  FROM claim, visit, jsonb_to_recordset(%(messages)s::jsonb)
    AS said (place text, operation text, code text, body_hash text)
  RETURNING id, code
), reply AS (
  INSERT INTO insurance_insurancereply (message_id, outcome, code, text, executed, platform_no,
    created_at)
  SELECT message.id, 'SUCCEEDED', '0', '', NULL, '1', %(now)s FROM message
), line AS (
  UPDATE insurance_claimline AS line SET own_fen = told.own_fen,
    over_limit_fen = told.over_limit_fen, first_own_fen = told.first_own_fen,
    in_scope_fen = told.in_scope_fen, level = told.level, own_share = told.own_share,
    price_limit = told.price_limit, limited_use = told.limited_use
  FROM claim, jsonb_to_recordset(%(lines)s::jsonb) AS told (place text, own_fen bigint,
    over_limit_fen bigint, first_own_fen bigint, in_scope_fen bigint, level text,
    own_share numeric, price_limit numeric, limited_use boolean)
  WHERE line.claim_id = claim.id AND line.number = claim.id || '-' || told.place
), settled AS (
  UPDATE insurance_claim AS own SET status = 'SETTLED', coverage_id = coverage.id,
    visit_id = visit.id, mdtrt_id = %(mdtrt_id)s, attempt = 1, lines_sent = true, settle_tries = 1,
    settle_message_id = message.id, settlement_no = 'S' || own.batch_no, code = '', message = '',
    priced_fund_fen = split.fund, priced_own_account_fen = split.account,
    priced_mutual_aid_fen = 0, priced_hospital_part_fen = 0, priced_cash_fen = split.cash,
    priced_at = %(now)s, valid_until = %(until)s, priced = %(priced)s::jsonb,
    settled_fund_fen = split.fund, settled_own_account_fen = split.account,
    settled_mutual_aid_fen = 0, settled_hospital_part_fen = 0, settled_cash_fen = split.cash,
    settled_at = %(now)s, occurred_at = %(now)s, settled = %(settled)s::jsonb, due_at = NULL,
    looks = 0, releasing = false, undoing = false
  FROM claim, coverage, visit, message,
    LATERAL (VALUES (%(fund)s::bigint, %(account)s::bigint, %(cash)s::bigint))
      AS split (fund, account, cash)
  WHERE own.id = claim.id AND message.code = '2207' RETURNING own.id
), steps AS (
  INSERT INTO core_statechange (entity, entity_id, from_status, to_status, actor, actor_name,
    reason, fields, created_at)
  SELECT 'insurance.claim', settled.id, step.old, step.new, 'system:system', '', '',
    step.fields::jsonb, %(now)s
  FROM settled, LATERAL (VALUES ('OPEN', 'PRICED', %(step_priced)s),
    ('PRICED', 'SETTLING', %(step_settling)s), ('SETTLING', 'SETTLED', %(step_settled)s)
  ) AS step (old, new, fields)
)
SELECT id FROM settled
"""
STEPS = {"PRICED": "step_priced", "SETTLING": "step_settling", "SETTLED": "step_settled"}
RESULTS = (
    "own_fen", "over_limit_fen", "first_own_fen", "in_scope_fen", "level", "own_share",
    "price_limit", "limited_use",
)  # fmt: skip


def floor_claim(link: psycopg.Connection[Any], *, model: int) -> Callable[[int], None]:
    """What prices and settles claim `n` over this connection, as claim `model` was: BEGIN, one
    prepared statement, COMMIT."""
    cursor = link.cursor()
    fixed = _fixed(cursor, model)
    link.commit()
    mdtrt_id, settlement_no = fixed.pop("names")
    frozen = {name: str(fixed.pop(name)) for name in ("priced", "settled", *STEPS.values())}

    def claim(n: int) -> None:
        now = datetime.now(clock.ZONE)
        values: dict[str, Any] = {
            "claim": n,
            "now": now,
            "day": now.date(),
            "until": clock.day_bounds(now.date())[1],
            "visit_no": f"OP{n:026d}",
            "mdtrt_id": f"MDOP{n:026d}",
            "message_no": f"{INSTITUTION}{n:014d}",
        }
        for name, text in frozen.items():
            own = text.replace(mdtrt_id, f"MDOP{n:026d}")
            values[name] = own.replace(settlement_no, f"SCB{n}")
        cursor.execute(FLOOR, fixed | values, prepare=True)
        if cursor.fetchone() is None:
            raise RuntimeError(f"the floor could not settle claim {n}")
        link.commit()

    return claim


def _fixed(cursor: psycopg.Cursor[Any], model: int) -> dict[str, Any]:
    """What the insurer said of the model, and how the services kept it."""
    cursor.execute(
        "SELECT c.coverage_id, v.told_hash, c.mdtrt_id, c.settlement_no, c.priced::text,"
        " c.settled::text, c.settled_fund_fen, c.settled_own_account_fen, c.settled_cash_fen"
        " FROM insurance_claim c JOIN insurance_insuredvisit v ON v.id = c.visit_id"
        " WHERE c.id = %s",
        [model],
    )
    coverage, told, mdtrt_id, settlement_no, priced, settled, fund, account, cash = (
        cursor.fetchone()
    )
    cursor.execute(
        f"SELECT split_part(number, '-', 2) AS place, {', '.join(RESULTS)}"
        " FROM insurance_claimline WHERE claim_id = %s ORDER BY id",
        [model],
    )
    lines = [dict(zip(("place", *RESULTS), row, strict=True)) for row in cursor.fetchall()]
    cursor.execute(
        "SELECT operation, code, body_hash FROM insurance_insurancemessage"
        " WHERE subject = 'claim:' || %s OR (code = '2201' AND subject = 'visit:' ||"
        " (SELECT visit_id FROM insurance_claim WHERE id = %s)) ORDER BY id",
        [model, model],
    )
    said = [
        {"place": place, "operation": operation, "code": code, "body_hash": body_hash}
        for place, (operation, code, body_hash) in enumerate(cursor.fetchall())
    ]
    cursor.execute(
        "SELECT to_status, fields::text FROM core_statechange"
        " WHERE entity = 'insurance.claim' AND entity_id = %s",
        [model],
    )
    steps = {STEPS[status]: fields for status, fields in cursor.fetchall()}
    return steps | {
        "names": (mdtrt_id, settlement_no),
        "model_coverage": coverage,
        "told_hash": told,
        "lines": json.dumps(lines, default=str),
        "messages": json.dumps(said),
        "priced": priced,
        "settled": settled,
        "fund": fund,
        "account": account,
        "cash": cash,
    }
