"""The town of `make bench FIGURE=pages`, a thousandth of it: built, walked through, no scan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from billing.ledger.models import Posting
from billing.models import Invoice, InvoiceLine
from core import clock
from patients.models import Patient
from patients.selectors import phone_index
from tests.bench.pages.building import town_build
from tests.bench.pages.people import person_name, person_number, person_phone
from tests.bench.pages.plans import large_tables, offenders, statements_recorded
from tests.bench.pages.town import Town
from tests.bench.pages.visits import PAGE_KB, STATEMENTS_MAX, pages_of
from tests.bench.pages.walk import clients_forget, page_offenders, page_walk

# The models' numbers must lie below those of the copies, whatever ran before.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)
LARGE = 100  # rows; what has more has a hundred thousand or more at full size


@pytest.fixture
def town() -> Iterator[Town]:
    """A thousand people and five thousand bills, with statistics; a scan is the last resort."""
    built = Town.of(0.001, clock.now())
    town_build(built, processes=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET enable_seqscan = off")
    clients_forget()
    yield built
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_seqscan")


def test_town_is_that_of_the_services_and_its_pages_find_their_rows_by_an_index(town: Town) -> None:
    people_lie_encrypted()
    bills_agree_with_lines_and_ledger(town)
    large = large_tables(LARGE)
    # a read from end to end is named, the first rows along a key are none
    with statements_recorded() as asked:
        list(Invoice.objects.filter(operator_name="nobody"))
        list(Invoice.objects.order_by("-pk")[:5])
        list(Patient.objects.filter(pk=1_001))
    (line,) = offenders(asked, large=large)
    assert "on billing_invoice: SELECT" in line
    # and no page of a patient or of the window has one
    pages = pages_of(town, 2)
    assert [line for page in pages for line in page_offenders(page, large=large)] == []
    home = page_walk(pages[0], large=large)
    assert home.statements <= STATEMENTS_MAX
    assert 0 < home.p50_ms <= home.p95_ms and 5 < home.kb < PAGE_KB


def people_lie_encrypted() -> None:
    person = Patient.objects.get(phone_index=phone_index(person_phone(1_001)))
    assert (person.pk, person.name) == (1_001, person_name(1))
    assert person.id_number == person_number(1_001)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number FROM patients_patient WHERE id = 1001")
        assert person.id_number not in cursor.fetchone()[0]


def bills_agree_with_lines_and_ledger(town: Town) -> None:
    copied = Invoice.objects.filter(pk__gte=1_000)
    assert copied.count() == town.bills == 5_000
    assert set(copied.values_list("status", flat=True)) >= {"PAID", "ISSUED", "REFUNDED"}
    bill = copied.filter(lines__isnull=False, status="PAID").latest("pk")
    lines = InvoiceLine.objects.filter(invoice=bill)
    assert sum(line.amount_fen for line in lines) == bill.amount_fen
    legs = Posting.objects.filter(entry__invoice_id=bill.pk).values_list("amount_fen", flat=True)
    assert (len(legs), sum(legs)) == (4, 0)
