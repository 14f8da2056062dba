"""The town's rows, copied inside the server from what the services made once.

A copy takes every column of its model that is not named here, so that a new column needs no word.
`bill` is the copy of a bill that a row belongs to, `n` its number. What is drawn by lot is drawn
from the number, so that every run builds the same town.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from tests.bench.bills import FIRST
from tests.bench.pages.town import AGREED, SAMPLE

SERIES = "generate_series(%(first)s, %(last)s) AS n"
BILLS = "(SELECT *, id AS n FROM billing_invoice WHERE id BETWEEN %(first)s AND %(last)s) AS bill"
ACCOUNT = "bill.patient_id < %(accounts_end)s"
SAMPLED = f"mod(bill.patient_id, {SAMPLE}) = 0"
SIGNED = f"mod(bill.patient_id - {FIRST}, {AGREED}) = 0 AND {ACCOUNT}"
TAKEN = "bill.status NOT IN ('ISSUED', 'CANCELLED')"
BACK = "bill.status IN ('REFUNDED', 'PARTLY_REFUNDED')"
CHARGE = "(model.id - %(first_charge)s)"
LINE = "(model.id - %(first_line)s)"


def lot(number: str, seed: int, of: str) -> str:
    """0 … of - 1, the same for the same number."""
    return f"mod(hashint8extended({number}, {seed}) & 1073741823, {of})"


def part_fen(place: str) -> str:
    """The share of one of a bill's five lines; the first takes what is left over."""
    return f"(bill.amount_fen / 5 + CASE WHEN {place} = 0 THEN mod(bill.amount_fen, 5) ELSE 0 END)"


# All of a bill, or its first line.
BACK_FEN = f"CASE bill.status WHEN 'REFUNDED' THEN bill.amount_fen ELSE {part_fen('0')} END"
# Half by agreement where there is one; one in ten at the window.
WAY = lot("bill.id", 3, "100")
MODE = (
    f"CASE WHEN {WAY} < 50 AND {SIGNED} THEN 'agreement' WHEN {WAY} < 90 THEN 'h5' ELSE 'cash' END"
)
CASH = f"{WAY} >= 90"
BY_ALIPAY = f"{WAY} BETWEEN 75 AND 89"
# The person's own account, or that of the relative whose card they are bound to.
PAYER = (
    f"CASE WHEN {CASH} THEN NULL WHEN {ACCOUNT} THEN bill.patient_id"
    " WHEN bill.patient_id - %(accounts_end)s + 1000 < %(accounts_end)s"
    " AND mod(bill.patient_id - %(accounts_end)s, 2) = 0"
    " THEN bill.patient_id - %(accounts_end)s + 1000 END"
)
NUMBER = "'TX' || lpad(bill.id::text, 28, '0')"
# Mean five bills a person; a few have hundreds.
WHO = (
    f"{FIRST} + floor(%(patients)s * power({lot('n', 1, '1073741824')} / 1073741824::float8,"
    " 1.5::float8))"
)
STATUS = f"""CASE WHEN n >= %(recent)s
  THEN (CASE WHEN {lot("n", 2, "1000")} < 250 THEN 'ISSUED'
             WHEN {lot("n", 2, "1000")} < 265 THEN 'COLLECTING' ELSE 'PAID' END)
  ELSE (CASE WHEN {lot("n", 2, "1000")} < 10 THEN 'ISSUED'
             WHEN {lot("n", 2, "1000")} < 30 THEN 'CANCELLED'
             WHEN {lot("n", 2, "1000")} < 60 THEN 'REFUNDED'
             WHEN {lot("n", 2, "1000")} < 80 THEN 'PARTLY_REFUNDED' ELSE 'PAID' END) END"""
AT = "%(built_at)s::timestamptz - (%(bills_end)s - n) * %(step_s)s::float8 * interval '1 second'"
FEN = f"500 + {lot('n', 4, '60000')}"
DEPARTMENT = (
    f"('{{内科,外科,儿科,妇科,眼科,口腔科,皮肤科,急诊科}}'::text[])[1 + {lot('n', 5, '8')}]"
)
DAY = "(bill.occurred_at AT TIME ZONE 'Asia/Shanghai')::date"


@dataclass(frozen=True, slots=True)
class Copies:
    """Rows of `table` for each number of `of`: the `model`'s but for `changes`; "" = a sequence."""

    table: str
    of: str
    model: str
    changes: dict[str, str]
    source: str = BILLS
    where: str = "true"

    def statement(self) -> str:
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_description(cursor, self.table)
        names = [one.name for one in found if self.changes.get(one.name) != ""]
        chosen = ", ".join(self.changes.get(name, f"model.{name}") for name in names)
        key = "entry_id" if "line_no" in names else "id"
        # The models are read first and once: they have the lowest numbers, found by the key.
        return (
            f"WITH model AS MATERIALIZED (SELECT * FROM {self.table} AS model"
            f" WHERE model.{key} < {FIRST} AND {self.model})"
            f" INSERT INTO {self.table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {chosen} FROM model, {self.source} WHERE {self.where}"
        )


def of_people(table: str, of: str, model: str, where: str = "true", **changes: str) -> Copies:
    return Copies(table, of, model, changes, SERIES, where)


def of_bills(table: str, model: str, where: str, **changes: str) -> Copies:
    return Copies(table, "bills", model, changes, BILLS, where)


OWN = "model.user_id = %(user)s"
RELATIVE = "%(accounts_end)s + mod(n - 1000, %(alone)s)"
PEOPLE = (
    of_people("core_user", "accounts", "model.id = %(user)s", id="n", username="'payer' || n"),
    of_people("patients_consent", "accounts", OWN, id="", user_id="n"),
    of_people(
        "patients_identifier", "patients", "model.patient_id = %(patient)s", id="",
        patient_id="n",
        value="CASE model.kind WHEN 'card' THEN 'C' ELSE 'M' END || lpad(n::text, 9, '0')",
    ),
    of_people("patients_patientaccess", "accounts", OWN, id="", user_id="n", patient_id="n"),
    of_people(
        "patients_patientaccess", "accounts", OWN, "mod(n, 2) = 0", id="", user_id="n",
        patient_id=RELATIVE, relation="CASE mod(n, 4) WHEN 0 THEN 'parent' ELSE 'child' END",
        may_view="mod(n, 4) <> 0",
    ),
    of_people(
        "patients_patientaccess", "accounts", OWN, "mod(n, 8) = 0", id="", user_id="n",
        patient_id="n + 1", relation="'spouse'", may_view="mod(n, 16) = 0",
    ),
    of_people(
        "billing_agreement", "accounts", "model.holder_id = %(user)s",
        f"mod(n - {FIRST}, {AGREED}) = 0", id="n", holder_id="n", contract_code="'TOWN' || n",
        contract_id="'2026' || lpad(n::text, 10, '0')", due_at="NULL",
    ),
    of_people(
        "billing_agreementpatient", "accounts", "model.patient_id = %(patient)s",
        f"mod(n - {FIRST}, {AGREED}) = 0", id="", agreement_id="n", patient_id="n",
    ),
    of_people(
        "billing_agreementpatient", "accounts", "model.patient_id = %(patient)s",
        f"mod(n - {FIRST}, {AGREED}) = 0 AND mod(n, 2) = 0", id="", agreement_id="n",
        patient_id=RELATIVE,
    ),
)  # fmt: skip
PAID = "model.invoice_id = %(paid)s"
PAID_TX = "model.id = %(paid_tx)s"
MONEY = (
    of_people(
        "billing_invoice", "bills", "model.id = %(paid)s", id="n", encounter_id="n",
        invoice_no="'B' || lpad(n::text, 11, '0')", patient_id=WHO, status=STATUS,
        amount_fen=FEN, cash_fen=FEN, due_at="NULL", occurred_at=AT, created_at=AT,
    ),
    of_bills(
        "patients_encounter", "model.id = %(paid_encounter)s", "true", id="n",
        encounter_no="'E' || lpad(n::text, 11, '0')", patient_id="bill.patient_id",
        department_name=DEPARTMENT, started_at="bill.occurred_at", created_at="bill.occurred_at",
    ),
    of_bills(
        "billing_payment", PAID, TAKEN, id="n", payment_no="'PY' || lpad(n::text, 28, '0')",
        invoice_id="n", collect_id=f"CASE WHEN {SAMPLED} THEN n END", mode=MODE,
        channel=f"CASE WHEN {CASH} THEN 'cash' WHEN {BY_ALIPAY} THEN 'alipay'"
        " ELSE 'wechat_pay' END",
        merchant_id=f"CASE WHEN {CASH} THEN NULL WHEN {BY_ALIPAY} THEN %(alipay)s"
        " ELSE model.merchant_id END",
        agreement_id=f"CASE WHEN {MODE} = 'agreement' THEN bill.patient_id END",
        payer_id=PAYER, amount_fen="bill.amount_fen", created_at="bill.occurred_at",
    ),
    of_bills(
        "billing_paymenttransaction", PAID_TX, TAKEN, id="n", payment_id="n", number=NUMBER,
        status="CASE bill.status WHEN 'COLLECTING' THEN 'PENDING' ELSE 'SUCCEEDED' END",
        amount_fen="bill.amount_fen",
        agreement_id=f"CASE WHEN {MODE} = 'agreement' THEN bill.patient_id END",
        business_day=DAY, channel_no=f"CASE WHEN {CASH} THEN '' ELSE '42000' || n END",
        sent_at="bill.occurred_at", expires_at="bill.occurred_at + interval '15 minutes'",
        occurred_at="CASE WHEN bill.status <> 'COLLECTING' THEN bill.occurred_at END",
        created_at="bill.occurred_at",
    ),
    of_bills(
        "billing_invoicereturn", "model.invoice_id = %(returned)s", BACK, id="n",
        refund_no="'RT' || n", invoice_id="n", amount_fen=BACK_FEN,
        occurred_at="bill.occurred_at", created_at="bill.occurred_at",
    ),
    of_bills(
        "billing_paymenttransaction", "model.id = %(refund_tx)s", BACK, id="%(bills_end)s + n",
        payment_id="n", number="'RF' || lpad(n::text, 28, '0')", original_id="n",
        invoice_return_id="n", agreement_id="NULL", amount_fen=BACK_FEN, business_day=DAY,
        channel_no="'50000' || n", occurred_at="bill.occurred_at", created_at="bill.occurred_at",
    ),
    of_bills(
        "patients_notification", "model.key = %(paid_key)s", f"{TAKEN} AND {PAYER} IS NOT NULL",
        id="", key=f"'deducted/' || {NUMBER}", user_id=PAYER, patient_id="bill.patient_id",
        status="'SENT'", due_at="NULL", sent_at="bill.occurred_at", created_at="bill.occurred_at",
    ),
)  # fmt: skip


def _entries(numbers: str, first: str, where: str, fen: str) -> tuple[Copies, Copies]:
    """Some journal entries of a model's bill, and their postings with the copy's amount."""

    def number(key: str) -> str:
        return f"n * 32 + model.{key} - %({first})s"

    kept = f"{SAMPLED} AND bill.status <> 'CANCELLED' AND {where}"
    entry = {
        "id": number("id"), "reference": "model.event || ':' || n", "invoice_id": "n",
        "business_day": DAY, "occurred_at": "bill.occurred_at", "created_at": "bill.occurred_at",
    }  # fmt: skip
    posting = {
        "entry_id": number("entry_id"), "business_day": DAY,
        "subject": "CASE WHEN subject > 0 THEN n ELSE 0 END",
        "amount_fen": f"sign(model.amount_fen) * {fen}",
    }  # fmt: skip
    chosen = f"= ANY(%({numbers})s)"
    return (
        Copies("ledger_entry", "bills", f"model.id {chosen}", entry, BILLS, kept),
        Copies("ledger_posting", "bills", f"model.entry_id {chosen}", posting, BILLS, kept),
    )


TRAIL = (
    of_bills(
        "billing_chargeitem", "model.encounter_id = %(paid_encounter)s", SAMPLED,
        id=f"n * 8 + {CHARGE}", charge_no=f"'C' || n || '-' || {CHARGE}", encounter_id="n",
        amount_fen=part_fen(CHARGE), unit_price=f"{part_fen(CHARGE)} / 100.0",
        ordered_at="bill.occurred_at", created_at="bill.occurred_at",
    ),
    of_bills(
        "billing_invoiceline", PAID, SAMPLED, id=f"n * 8 + {LINE}", invoice_id="n",
        charge_id=f"n * 8 + {LINE}", amount_fen=part_fen(LINE), live="bill.status <> 'CANCELLED'",
        returned_fen=f"CASE WHEN {BACK} AND (bill.status = 'REFUNDED' OR {LINE} = 0)"
        f" THEN {part_fen(LINE)} ELSE 0 END",
        returned_quantity=f"CASE WHEN {BACK} AND (bill.status = 'REFUNDED' OR {LINE} = 0)"
        " THEN model.quantity ELSE 0 END",
    ),
    of_bills(
        "billing_collectrequest", PAID, f"{SAMPLED} AND {TAKEN}", id="n", invoice_id="n",
        request_no="'town-' || n", created_at="bill.occurred_at",
        status="CASE bill.status WHEN 'COLLECTING' THEN 'RUNNING' ELSE 'PAID' END",
    ),
    of_bills(
        "billing_hisevent", PAID, f"{SAMPLED} AND (model.type <> 'paid' OR {TAKEN})", id="",
        invoice_id="n", event_id="n * 4 + model.seq", due_at="NULL",
        delivered_at="bill.occurred_at", occurred_at="bill.occurred_at",
        created_at="bill.occurred_at",
    ),
    of_bills(
        "core_statechange",
        "((model.entity, model.entity_id) IN (('billing.invoice', %(paid)s),"
        " ('billing.paymenttransaction', %(paid_tx)s)))",
        f"{SAMPLED} AND {TAKEN}", id="", entity_id="n", created_at="bill.occurred_at",
    ),
    *_entries("issued", "paid_entry", "true", "bill.amount_fen"),
    *_entries("captured", "paid_entry", TAKEN, "bill.amount_fen"),
    *_entries("given_back", "returned_entry", BACK, BACK_FEN),
)  # fmt: skip
