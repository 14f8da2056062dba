"""Issued bills in bulk: copies of one that the services made, with all that belongs to it.

Every bill has its own visit, patient, payer and signed agreement, so that no two collects meet by
accident. The rows of one bill share one number, which is also their id: `bill 1007` is invoice
1007 of patient 1007. Copying is by SQL with triggers at rest; the rows are those the services and
the triggers let through once already.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from billing.services.invoice_drive import invoice_drive
from core.actors import Actor
from patients.models import HisClient
from tests.factories import billing as bills
from tests.factories import patients as people
from tests.factories import payments

FIRST = 1000  # below are the rows the factories made
PAID = 10_000  # bills that were collected before
CLEARING = "clearing/wechat_pay/1900000001"
OPERATOR = Actor("his", "C1", "收费员")

# Table → the columns that differ from copy to copy; `n` is the copy's number. Where a bill has
# several rows, their ids come from the sequence or count from ten times the number.
_ISSUED = {
    "core_user": {"id": "n", "username": "'payer' || n"},
    "patients_patient": {"id": "n"},
    "patients_consent": {"id": "n", "user_id": "n"},
    "patients_patientaccess": {"id": "n", "user_id": "n", "patient_id": "n"},
    "patients_encounter": {"id": "n", "encounter_no": "'E' || n", "patient_id": "n"},
    "billing_agreement": {
        "id": "n",
        "contract_code": "'CC' || n",
        "contract_id": "'2026' || lpad(n::text, 8, '0')",
        "holder_id": "n",
    },
    "billing_agreementpatient": {"id": "n", "agreement_id": "n", "patient_id": "n"},
    "billing_chargeitem": {"id": "n", "charge_no": "'C' || n", "encounter_id": "n"},
    "billing_invoice": {
        "id": "n",
        "invoice_no": "'B' || n",
        "encounter_id": "n",
        "patient_id": "n",
    },
    "billing_invoiceline": {"id": "n", "charge_id": "n", "invoice_id": "n"},
    "billing_hisevent": {"id": "", "invoice_id": "n"},
    "core_statechange": {"id": "", "entity_id": "n"},
    "ledger_entry": {
        "id": "n * 10 + model.id",
        "reference": "event || ':' || n",
        "invoice_id": "n",
    },
    "ledger_posting": {
        "entry_id": "n * 10 + model.entry_id",
        "subject": "CASE WHEN subject > 0 THEN n ELSE 0 END",
    },
}
_PAID = _ISSUED | {
    "billing_collectrequest": {"id": "n", "request_no": "'R' || n", "invoice_id": "n"},
    "billing_payment": {
        "id": "n",
        "payment_no": "'PY' || lpad(n::text, 28, '0')",
        "invoice_id": "n",
        "collect_id": "n",
        "agreement_id": "n",
        "payer_id": "n",
    },
    "billing_paymenttransaction": {
        "id": "n",
        "number": "'TX' || lpad(n::text, 28, '0')",
        "payment_id": "n",
        "agreement_id": "n",
    },
    "patients_notification": {
        "id": "",
        "user_id": "n",
        "patient_id": "n",
        "key": "kind || '/' || n",
    },
}


@dataclass
class Supply:
    """The next bill of a share; a contender that finds none left has measured nothing."""

    upcoming: int
    last: int
    step: int

    def take(self) -> int:
        bill = self.upcoming
        if bill > self.last:
            raise RuntimeError(f"the {self.last} prepared bills are used up")
        self.upcoming += self.step
        return bill


def bills_prepare(count: int, *, paid: int = PAID) -> None:
    """Bills FIRST … FIRST + count - 1, each issued for ¥10.00 and payable by agreement.

    Behind them stand as many paid ones as asked for: a hospital's tables are never empty, and a
    plan made for an empty table is of no use to anybody.
    """
    visit = people.encounter()
    payments.agreement(visit.patient, plan=payments.plan())
    model = bills.invoice(1000, of=visit, invoice_no="B0")
    last = FIRST + count - 1
    rows_copy(_ISSUED, FIRST, last)
    payments.collect(model)
    invoice_drive(invoice_id=model.pk)
    rows_copy(_PAID, last + 1, last + paid)
    sequences_follow(_PAID, 10 * (last + paid + 1))


def rows_copy(tables: dict[str, dict[str, str]], first: int, last: int) -> None:
    """Copies of every model row, one for each number."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, changes in tables.items():
            cursor.execute(_copy(table, changes), [first, last])
        cursor.execute("RESET session_replication_role")


def sequences_follow(tables: dict[str, dict[str, str]], last: int) -> None:
    """New rows get ids beyond those of the copies."""
    with connection.cursor() as cursor:
        for table, changes in tables.items():
            if changes.get("id"):
                key = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
                cursor.execute(key, [table, last])


def his_client() -> HisClient:
    return people.his_client()


def _copy(table: str, changes: dict[str, str]) -> str:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    columns = [one.name for one in found if changes.get(one.name) != ""]
    chosen = ", ".join(changes.get(column, f"model.{column}") for column in columns)
    key = next(column for column, value in changes.items() if value)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE SELECT {chosen}"
        f" FROM {table} AS model, generate_series(%s, %s) AS n WHERE model.{key} < {FIRST}"
    )
