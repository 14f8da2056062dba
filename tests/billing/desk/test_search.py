"""One search box: every number finds, every look is on record, nothing typed is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.desk.search import KINDS, desk_find
from billing.models import Invoice, PaymentTransaction
from core import clock
from core.models import AuditEvent
from patients.card_codes import GRACE, LIFETIME, card_code_new
from patients.models import Identifier, Patient
from tests.billing.desk.people import browser, paid_bill, text
from tests.factories import patients, payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

ID_NUMBER = "11010119900101001X"
SEARCH = "/admin/desk/search"


@pytest.fixture
def bill() -> Invoice:
    """A paid bill of one known patient."""
    person = patients.patient("M9001", number=ID_NUMBER, name="欧阳静", phone="13812345678")
    Identifier.objects.create(
        client=patients.his_client(), patient=person, kind="card", value="C9001",
        created_at=clock.now(),
    )  # fmt: skip
    return paid_bill(8_640, of=patients.encounter("E9001", of=person), invoice_no="I9001")


def transaction(bill: Invoice) -> PaymentTransaction:
    return PaymentTransaction.objects.select_related("payment").get(payment__invoice=bill)


PERSON_KEYS = {
    "mrn": "M9001",
    "card": "C9001",
    "id_number": ID_NUMBER,
    "id_number lower case": ID_NUMBER.lower(),
    "id_number full width": "１１０１０１１９９００１０１００１Ｘ",
    "last 6 of the id_number": "01001X",
    "last 6 as they are said": "０１００１ｘ",
    "phone": "13812345678",
    "phone with country": "+86 138-1234-5678",
    "name": "欧阳静",
    "beginning of the name": "欧阳",
    "visit": "E9001",
    "scanner's white space": " C9001\t",
}
BILL_KEYS: dict[str, Callable[[Invoice], str]] = {
    "bill": lambda bill: bill.invoice_no,
    "payment": lambda bill: transaction(bill).payment.payment_no,
    "out_trade_no": lambda bill: transaction(bill).number,
    "transaction_id": lambda bill: transaction(bill).channel_no,
}


def looked_up() -> QuerySet[AuditEvent]:
    """The trail of the search box and what it opened; the groups of staff leave their own."""
    return AuditEvent.objects.filter(action__startswith="patient_")


@pytest.mark.parametrize("key", PERSON_KEYS.values(), ids=PERSON_KEYS.keys())
def test_every_number_of_a_person_leads_to_the_page(bill: Invoice, key: str) -> None:
    answer = browser("cashier").post(SEARCH, {"q": key})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/admin/desk/patients/{bill.patient_id}?by=")


@pytest.mark.parametrize("key", BILL_KEYS.values(), ids=BILL_KEYS.keys())
def test_every_number_of_a_bill_leads_to_it(bill: Invoice, key: Callable[[Invoice], str]) -> None:
    answer = browser("cashier").post(SEARCH, {"q": key(bill)})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/admin/desk/bills/{bill.pk}?by=")


def test_look_up_is_recorded_without_what_was_typed(bill: Invoice) -> None:
    cashier = browser("cashier")
    location = cashier.post(SEARCH, {"q": ID_NUMBER})["Location"]
    cashier.get(location)
    search, look = looked_up().order_by("pk")
    assert (search.action, search.detail["by"]) == ("patient_search", ["id_number"])
    assert (look.action, look.subject_id) == ("patient_lookup", str(bill.patient_id))
    assert look.detail == {"page": "patient", "by": "id_number"}
    assert (look.actor, look.address) == ("staff:cashier", "127.0.0.1")
    for row in (search, look):
        assert ID_NUMBER not in str(row.detail) + row.subject_id


def test_a_search_by_bill_is_recorded_for_the_person_of_the_bill(bill: Invoice) -> None:
    browser("cashier").post(SEARCH, {"q": bill.invoice_no})
    [search] = looked_up().filter(action="patient_search")
    assert search.subject_id == str(bill.patient_id)
    browser("cashier").post(SEARCH, {"q": "M404"})
    nobody = looked_up().filter(action="patient_search").latest("pk")
    assert nobody.subject_id == "" and nobody.detail["found"] == 0


def test_search_that_finds_nobody_is_recorded_too(bill: Invoice) -> None:
    answer = browser("cashier").post(SEARCH, {"q": "M404"})
    assert answer.status_code == 200
    assert "没有" in text(answer)
    row = looked_up().get()
    assert row.detail == {"by": [], "found": 0, "patients": []}


def test_payment_code_in_the_search_box_says_where_it_belongs(bill: Invoice) -> None:
    answer = browser("cashier").post(SEARCH, {"q": "130000000000000001"})
    assert "付款码" in text(answer)


def test_several_hits_are_listed_masked(bill: Invoice) -> None:
    patients.patient(name="欧阳文", number=patients.id_number(7))
    answer = browser("cashier").post(SEARCH, {"q": "欧阳"})
    page = text(answer)
    assert "欧阳静" in page and "欧阳文" in page
    assert ID_NUMBER not in page and "1101**********001X" in page
    assert "13812345678" not in page and "138****5678" in page


def test_name_is_masked_for_who_may_not_reveal(bill: Invoice) -> None:
    finance = browser("finance")
    answer = finance.get(f"/admin/desk/patients/{bill.patient_id}")
    assert "欧阳静" not in text(answer) and "欧*静" in text(answer)
    answer = finance.post(f"/admin/desk/patients/{bill.patient_id}/reveal", {"reason": "call_back"})
    assert answer.status_code in (400, 403)
    assert ID_NUMBER not in text(answer)


def test_reveal_needs_a_reason_and_is_recorded(bill: Invoice) -> None:
    cashier = browser("cashier")
    address = f"/admin/desk/patients/{bill.patient_id}/reveal"
    assert cashier.post(address, {"reason": "curious"}).status_code == 400
    assert not AuditEvent.objects.filter(action="patient_reveal").exists()
    answer = cashier.post(address, {"reason": "check_document"})
    assert ID_NUMBER in text(answer) and "13812345678" in text(answer)
    row = AuditEvent.objects.get(action="patient_reveal")
    assert (row.subject_id, row.detail) == (str(bill.patient_id), {"reason": "check_document"})


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 65,
        "a\x00b",
        "\x1b[31m",
        "%",
        "'; DROP TABLE core_user;--",
        "<script>",
        "9" * 64,
    ],
    ids=["empty", "blank", "long", "nul", "escape", "wildcard", "sql", "html", "digits"],
)
def test_odd_input_is_no_fault(bill: Invoice, typed: str) -> None:
    answer = browser("cashier").post(SEARCH, {"q": typed})
    assert answer.status_code in (200, 400)
    assert "欧阳静" not in text(answer)
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("number", ["0", "99999999999999999999999999"])
@pytest.mark.parametrize("page", ["patients", "bills", "reviews", "reviews/people"])
def test_page_of_nobody_is_404(bill: Invoice, page: str, number: str) -> None:
    assert browser("admin").get(f"/admin/desk/{page}/{number}").status_code == 404


def test_name_with_marks_is_shown_as_text(bill: Invoice) -> None:
    bill.patient.name = "<img src=x onerror=alert(1)>"
    bill.patient.save()
    answer = browser("cashier").get(f"/admin/desk/bills/{bill.pk}")
    assert b"<img src=x" not in answer.content
    assert b"&lt;img src=x" in answer.content


def statements(make: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        make()
    return len(seen)


def warm(role: str) -> Client:
    """A browser behind its first page, which notes in the session that somebody is at the desk."""
    client = browser(role)
    client.get("/admin/")
    return client


def test_only_the_first_page_of_a_session_notes_who_is_there(bill: Invoice) -> None:
    cashier, address = browser("cashier"), f"/admin/desk/patients/{bill.patient_id}"
    first, *later = [statements(lambda: cashier.get(address)) for _n in range(4)]
    # then a savepoint, the session's row and the release, once
    assert later == [first - 3] * 3


def test_search_takes_as_many_statements_for_twenty_hits_as_for_two(bill: Invoice) -> None:
    cashier = warm("cashier")
    patients.patient(name="欧阳甲")
    few = statements(lambda: cashier.post(SEARCH, {"q": "欧阳"}))
    for n in range(18):
        patients.patient(name=f"欧阳乙{'甲乙丙丁'[n % 4]}")
    many = statements(lambda: cashier.post(SEARCH, {"q": "欧阳"}))
    assert many == few


def test_patient_page_takes_constant_statements(bill: Invoice) -> None:
    cashier, address = warm("cashier"), f"/admin/desk/patients/{bill.patient_id}"
    invoice(1_000, of=bill.encounter)
    few = statements(lambda: cashier.get(address))
    for _n in range(5):
        invoice(1_000, of=bill.encounter)
        payments.agreement(bill.patient)
    many = statements(lambda: cashier.get(address))
    assert many == few <= 24


def test_end_of_a_bill_number_as_a_message_tells_it_leads_to_the_bill(bill: Invoice) -> None:
    # given two bills of one ending, as the messages of both payers name it
    other = invoice(1_000, invoice_no="N2611200418")
    Invoice.objects.filter(pk=bill.pk).update(invoice_no="N2511200418")
    # when it is typed
    page = text(browser("cashier").post(SEARCH, {"q": "200418"}))
    # then both are offered, and one digit less or more finds neither
    assert other.invoice_no in page and "N2511200418" in page and "账单号后 6 位" in page
    for q in ("00418", "1200418"):
        assert other.invoice_no not in text(browser("cashier").post(SEARCH, {"q": q}))


def test_end_of_a_bill_number_is_read_from_its_index(bill: Invoice) -> None:
    # given a planner that walks no table and no other index, however few rows there are
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with CaptureQueriesContext(connection) as seen:
        desk_find("200418")
    (statement,) = [q["sql"] for q in seen if "RIGHT(" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement)
        assert "invoice_tail" in str(cursor.fetchall())


def test_a_scanned_visit_code_leads_to_the_page_of_its_person(bill: Invoice) -> None:
    code = card_code_new(bill.patient_id)
    for scanned in (code, code.lower(), f"{code}\r\n"):
        answer = browser("cashier", "scanner-" + str(len(scanned) + scanned.islower())).post(
            SEARCH, {"q": scanned}
        )
        assert answer.status_code == 302
        assert answer["Location"] == f"/admin/desk/patients/{bill.patient_id}?by=visit_code"
    row = AuditEvent.objects.filter(action="patient_search").latest("pk")
    assert row.detail == {"by": ["visit_code"], "found": 1, "patients": [bill.patient_id]}
    assert code not in str(row.detail)


def test_a_code_of_a_joined_record_leads_to_the_one_that_stays(bill: Invoice) -> None:
    code, other = card_code_new(bill.patient_id), patients.patient(name="欧阳静")
    Patient.objects.filter(pk=bill.patient_id).update(merged_into=other)
    answer = browser("cashier").post(SEARCH, {"q": code})
    assert answer["Location"].startswith(f"/admin/desk/patients/{other.pk}?")


def test_a_code_that_ran_out_says_so_and_is_on_record(
    bill: Invoice, still_clock: clock.FrozenClock
) -> None:
    code = card_code_new(bill.patient_id)
    still_clock.advance(LIFETIME + GRACE)
    answer = browser("cashier").post(SEARCH, {"q": code})
    assert answer.status_code == 200
    assert "就诊码已过期" in text(answer) and "没有人" not in text(answer)
    assert code not in answer.content.decode()
    assert looked_up().get().detail == {"by": [], "found": 0, "patients": []}
    altered = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert "就诊码已过期" not in text(browser("cashier", "other").post(SEARCH, {"q": altered}))


def test_a_search_without_a_hit_keeps_what_was_typed_and_says_what_finds(bill: Invoice) -> None:
    answer = browser("cashier").post(SEARCH, {"q": ' M404"<b> '})
    assert 'value="M404&quot;&lt;b&gt;"' in answer.content.decode()
    page = text(answer)
    assert all(str(word) in page for word in KINDS.values())
    long = browser("cashier", "other").post(SEARCH, {"q": "9" * 80})
    assert f'value="{"9" * 64}"' in long.content.decode()
