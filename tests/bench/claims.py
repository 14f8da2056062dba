"""Claims in bulk: copies of one that the services opened, with all that belongs to it.

Every claim has its own patient, visit and shown code; claim 1007 is that of patient 1007. Rows of
one claim share one number, which is also their id (`tests.bench.bills`).
"""

from __future__ import annotations

from tests.bench.bills import FIRST, rows_copy, sequences_follow
from tests.insurance import factories
from tests.insurance.instant import claim_begun, insurer_replace, price_and_settle

LINES = 30
SETTLED = 2_000  # claims that were settled before

_OPENED = {
    "patients_patient": {"id": "n"},
    "patients_encounter": {"id": "n", "encounter_no": "'E' || n", "patient_id": "n"},
    "insurance_heldcredential": {"id": "n", "encounter_id": "n"},
    "insurance_claim": {
        "id": "n",
        "invoice_ref": "n",
        "encounter_id": "n",
        "patient_id": "n",
        "batch_no": "'CB' || n",
        "mdtrt_id": "CASE WHEN model.mdtrt_id <> '' THEN 'MD' || n ELSE '' END",
        "settlement_no": "CASE WHEN model.settlement_no <> '' THEN 'S' || n ELSE '' END",
        "coverage_id": "CASE WHEN model.coverage_id > 0 THEN n END",
        "visit_id": "CASE WHEN model.visit_id > 0 THEN n END",
        "settle_message_id": "n * 20 + model.settle_message_id",
    },
    "insurance_claimline": {
        "id": "",
        "claim_id": "n",
        "number": "n || '-' || split_part(model.number, '-', 2)",
    },
}
_SETTLED = _OPENED | {
    "insurance_coverage": {"id": "n", "patient_id": "n"},
    "insurance_insuredvisit": {
        "id": "n",
        "encounter_id": "n",
        "coverage_id": "n",
        "visit_no": "'OP' || n",
        "mdtrt_id": "'MD' || n",
    },
    "insurance_insurancemessage": {
        "id": "n * 20 + model.id",
        "message_no": "'M' || (n * 20 + model.id)",
        "subject": "split_part(model.subject, ':', 1) || ':' || n",
    },
    "insurance_insurancereply": {"id": "", "message_id": "n * 20 + model.message_id"},
    "core_statechange": {"id": "", "entity_id": "n"},
}


def claims_prepare(count: int, *, settled: int = SETTLED) -> None:
    """Claims FIRST … FIRST + count - 1, each opened over thirty lines and its code shown.

    Behind them stand as many settled ones as asked for: no hospital's tables are empty.
    """
    model = claim_begun(factories.institution(), 1, LINES)
    last = FIRST + count - 1
    rows_copy(_OPENED, FIRST, last)
    with insurer_replace():
        price_and_settle(model.pk)
    rows_copy(_SETTLED, last + 1, last + settled)
    sequences_follow(_SETTLED, 20 * (last + settled + 1))
