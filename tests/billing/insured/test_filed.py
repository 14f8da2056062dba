"""A patient of another province before and after the filing; a chronic patient by entitlement."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.selectors.payments import is_priced
from billing.services.insuring.refiling import prices_run_out
from billing.services.insuring.running import price_refresh
from core import clock, failpoints
from core.actors import Actor
from core.errors import Conflict
from insurance.models import Filing
from insurance.services.claims import claim_warnings
from insurance.services.filings import ChronicWish, away_file, chronic_file, filing_end
from insurance.tasks import sweep_filings
from tests.billing.insured.ward import Ward, even, movements, split_of, ward_open
from tests.billing.services.bills import ask_back, part
from tests.contracts.nhsa_house import DRUG
from tests.factories import patients, payments
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
BY, CLERK = Actor("patient", "user-1", ""), Actor("staff", "cashier", "李窗口")
# 95.00 in scope of Shenzhen's 0.55: at 0.70 of it without a filing, half up, and in full with one.
UNFILED, FILED = (3_658, 0, 0, 0, 6_342), (5_225, 0, 0, 0, 4_775)


@pytest.fixture
def away(sandbox: Sandbox, still_clock: clock.FrozenClock) -> Ward:
    """Insured in Shenzhen, treated here, with an agreement that pays."""
    ward = ward_open(sandbox, still_clock, balance_fen=0, insuplc_admdvs="440300")
    region = ward.visit.campus.institution.region
    region.filing_ways = [{"way": "long_term", "code": "2", "days": 365}]
    region.save()
    ward.agreement()
    return ward


def file(ward: Ward) -> Filing:
    return away_file(patient=ward.visit.patient, way="long_term", promised=True, by=BY)


def test_filed_on_the_phone_the_next_bill_is_settled_in_full(away: Ward) -> None:
    # Given a bill that is settled without a filing
    first = away.paid((DRUG, 10_000))
    assert split_of(first) == UNFILED
    # When care here is filed
    assert file(away).status == "FILED"
    # Then the next one is settled by it
    second = away.paid((DRUG, 10_000))
    assert split_of(second) == FILED
    assert movements(second) == [("CAPTURE", "SUCCEEDED", 4_775)]
    assert away.books() == {
        "fund": 3_658 + 5_225, "own_account": 0, "captured": 6_342 + 4_775, "refunded": 0,
    }  # fmt: skip
    even(away, first)
    even(away, second)


def test_filed_between_the_price_and_the_payment_it_is_priced_anew_and_paid_once(
    away: Ward,
) -> None:
    bill = away.priced((DRUG, 10_000))
    assert split_of(bill) == UNFILED
    file(away)
    bill.refresh_from_db()
    assert not is_priced(bill)
    away.collect(bill)
    bill.refresh_from_db()
    assert (split_of(bill), movements(bill)) == (FILED, [("CAPTURE", "SUCCEEDED", 4_775)])
    assert away.insurer.calls().count("2206") == 2
    assert away.books() == {
        "fund": 5_225, "own_account": 0, "captured": 4_775, "refunded": 0,
    }  # fmt: skip
    even(away, bill)


def test_a_payer_on_the_page_sees_the_new_own_part_before_paying(away: Ward) -> None:
    bill = away.priced((DRUG, 10_000))
    file(away)
    bill.refresh_from_db()
    with pytest.raises(Conflict) as told:
        price_refresh(invoice=bill)
    assert told.value.code == "amount_changed"
    bill.refresh_from_db()
    assert (bill.status, split_of(bill), is_priced(bill)) == ("ISSUED", FILED, True)
    price_refresh(invoice=bill)


def test_taken_back_between_the_price_and_the_payment_it_is_priced_anew(away: Ward) -> None:
    row = file(away)
    bill = away.priced((DRUG, 10_000))
    assert split_of(bill) == FILED
    filing_end(filing_id=row.pk, by=BY)
    away.collect(bill)
    bill.refresh_from_db()
    assert (split_of(bill), movements(bill)) == (UNFILED, [("CAPTURE", "SUCCEEDED", 6_342)])
    even(away, bill)


@pytest.mark.parametrize("point", ["filing.before_followed", "refiled.written"])
def test_killed_before_the_price_has_run_out_the_sweeper_sees_to_it(
    away: Ward, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    bill = away.priced((DRUG, 10_000))

    class Killed(BaseException):
        """The process dies here."""

    def die(name: str) -> None:
        if name == point:
            raise Killed

    with monkeypatch.context() as deadly:
        deadly.setattr(failpoints, "_active", True)
        deadly.setattr(failpoints, "_pass", die)
        with pytest.raises(Killed):
            file(away)
    bill.refresh_from_db()
    row = Filing.objects.get()
    assert (row.status, is_priced(bill), row.due_at is None) == ("FILED", True, False)
    away.later(31)
    sweep_filings()
    bill.refresh_from_db()
    row.refresh_from_db()
    assert (is_priced(bill), row.due_at) == (False, None)
    assert away.insurer.calls().count("2501") == 1


def test_bills_of_others_and_paid_ones_keep_what_they_have(away: Ward) -> None:
    paid = away.paid((DRUG, 10_000))
    before = paid.valid_until
    other = patients.patient(name="别人")
    assert prices_run_out(patient_id=other.pk) == []
    assert prices_run_out(patient_id=away.visit.patient_id) == []
    paid.refresh_from_db()
    assert (paid.valid_until, split_of(paid)) == (before, UNFILED)


def test_filed_while_the_money_was_on_its_way_the_excess_comes_back(away: Ward) -> None:
    bill = away.priced((DRUG, 10_000))
    payments.collect(bill)
    away.driven(bill)
    assert movements(bill) == [("CAPTURE", "PENDING", 6_342)]
    file(away)
    away.ended(bill)
    away.refund()
    bill.refresh_from_db()
    assert split_of(bill) == FILED
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 6_342), ("REFUND", "SUCCEEDED", 1_567)]
    assert away.books() == {
        "fund": 5_225, "own_account": 0, "captured": 6_342, "refunded": 1_567,
    }  # fmt: skip
    even(away, bill)


def test_filed_by_a_lost_answer_it_counts_all_the_same(away: Ward) -> None:
    away.fault("filing", "drop_after")
    row = file(away)
    assert row.status == "ASKED"
    bill = away.paid((DRUG, 10_000))
    assert split_of(bill) == FILED
    with clock.freeze(clock.now() + timedelta(seconds=35)):
        sweep_filings()
    row.refresh_from_db()
    assert row.status == "FILED"
    even(away, bill)


def test_taken_back_it_counts_no_more(away: Ward) -> None:
    row = file(away)
    first = away.paid((DRUG, 10_000))
    assert filing_end(filing_id=row.pk, by=BY).status == "ENDED"
    second = away.paid((DRUG, 10_000))
    assert (split_of(first), split_of(second)) == (FILED, UNFILED)
    even(away, second)


def test_a_return_of_a_filed_bill_leaves_both_books_equal(away: Ward) -> None:
    file(away)
    bill = away.paid((DRUG, 10_000), (DRUG, 2_000))
    # 114.00 in scope; the fund pays 62.70.
    assert split_of(bill) == (6_270, 0, 0, 0, 5_730)
    ask_back(bill, part(bill, 1), refund_no="F1")
    away.driven(bill)
    away.refund()
    bill.refresh_from_db()
    assert split_of(bill) == FILED
    assert away.books() == {
        "fund": 5_225, "own_account": 0, "captured": 5_730, "refunded": 5_730 - 4_775,
    }  # fmt: skip
    even(away, bill)


def test_who_issues_the_bill_is_told_that_nothing_is_filed(away: Ward) -> None:
    bill = away.priced((DRUG, 10_000))
    (said,) = claim_warnings(claim_id=away.claim(bill).pk)
    assert "广东省深圳市" in said and "异地就医备案" in said
    file(away)
    assert claim_warnings(claim_id=away.claim(bill).pk) == []


def test_a_chronic_patient_is_settled_by_the_entitlement(ward: Ward) -> None:
    # Given a visit for hypertension that is not filed: the insurer pays nothing
    ward.agreement()
    ward.visit.med_type, ward.visit.disease_code = "140104", "M03900"
    ward.visit.save()
    first = ward.priced((DRUG, 10_000))
    assert (first.status, first.claim_id, first.cash_fen) == ("ISSUED", None, 10_000)
    # When the window files what the doctor found
    wish = ChronicWish("M03900", "高血压", "D330300000001", "李医生", clock.today())
    row = chronic_file(patient=ward.visit.patient, wish=wish, promised=True, by=CLERK)
    assert row.status == "FILED"
    # Then the next bill is settled by it: 95.00 in scope at 0.85, 5.00 on the account
    second = ward.paid((DRUG, 10_000))
    assert split_of(second) == (8_075, 500, 0, 0, 1_425)
    claim = ward.claim(second)
    assert (claim.med_type, claim.disease_code) == ("140104", "M03900")
    assert ward.books() == {
        "fund": 8_075, "own_account": 500, "captured": 1_425, "refunded": 0,
    }  # fmt: skip
    even(ward, second)


def test_a_plain_bill_of_a_chronic_patient_is_named_to_who_issues_it(ward: Ward) -> None:
    wish = ChronicWish("M03900", "高血压", "D330300000001", "李医生", clock.today())
    chronic_file(patient=ward.visit.patient, wish=wish, promised=True, by=CLERK)
    bill = ward.priced((DRUG, 10_000))
    (said,) = claim_warnings(claim_id=ward.claim(bill).pk)
    assert "高血压 M03900" in said
