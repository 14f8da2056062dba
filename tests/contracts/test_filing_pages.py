"""Filing care here on the phone: asked, promised, filed; in progress, refused; nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from insurance.models import Filing, InsuranceMessage, InsuranceRegion
from insurance.tasks import sweep_filings
from patients.models import PatientAccess
from tests.billing.portal_house import signed_in
from tests.contracts.test_nhsa_filings import NUMBER, House, house
from tests.factories import patients, payments

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
PAGE, FILE = "/insurance", "/insurance/filing"


def text(answer: Any) -> str:
    return answer.content.decode()


@pytest.fixture
def phone(house: House) -> Client:
    user = payments.user()
    payments.access(house.person, user)
    return signed_in(user)


def asked(phone: Client, house: House) -> str:
    answer = phone.post(f"{PAGE}/ask", {"person": house.person.pk})
    assert answer.status_code == 303, text(answer)
    return text(phone.get(answer["Location"]))


def filed(phone: Client, house: House, **changed: Any) -> Any:
    form = {"person": house.person.pk, "way": "long_term", "promised": "yes"} | changed
    return phone.post(FILE, form)


def test_care_here_is_filed_in_two_pages(house: House, phone: Client) -> None:
    # Given somebody the insurer was not asked about yet
    page = text(phone.get(PAGE))
    assert "还没有查询您的参保地" in page and FILE not in page
    # When the insurer is asked
    page = asked(phone, house)
    assert "广东省深圳市" in page and "未备案" in page and f"{FILE}?person=" in page
    # Then why, with the term of each way, and what is filed
    why = text(phone.get(f"{FILE}?person={house.person.pk}"))
    assert "长期在这里居住或工作" in why and "2027年11月19日" in why and "2027年5月18日" in why
    right = text(phone.get(f"{FILE}?person={house.person.pk}&way=long_term"))
    assert "浙江省温州市" in right and "2026年11月20日" in right
    assert 'name="promised"' in right and "checked" not in right
    # And the filing with its term
    answer = filed(phone, house)
    row = Filing.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/insurance/filings/{row.pk}")
    shown = text(phone.get(answer["Location"]))
    assert "已备案" in shown and "2027年11月19日" in shown and row.filing_no in shown
    assert "在这里就医按备案结算，有效期到2027年11月19日" in text(phone.get(PAGE))
    # Pressed again it is the same filing.
    assert filed(phone, house).status_code == 409 and Filing.objects.count() == 1


def test_in_progress_it_says_do_not_file_again_and_looks_by_itself(
    house: House, phone: Client
) -> None:
    asked(phone, house)
    house.fault("filing", "drop_after")
    address = filed(phone, house)["Location"]
    page = text(phone.get(address))
    assert "处理中" in page and "请勿重复备案" in page and "hx-get" in page
    assert phone.get(address, headers={"HX-Request": "true"}).status_code == 204
    home = text(phone.get(PAGE))
    assert "备案处理中" in home and f"{FILE}?person=" not in home
    again = filed(phone, house)
    assert again.status_code == 409 and "正在处理" in text(again)
    with clock.freeze(clock.now() + timedelta(seconds=35)):
        sweep_filings()
    told = phone.get(address, headers={"HX-Request": "true"})
    assert (told.status_code, told["HX-Refresh"]) == (200, "true")
    assert "已备案" in text(phone.get(address))
    assert InsuranceMessage.objects.filter(code="2501").count() == 1


def test_what_the_insurer_refuses_is_said_in_its_words(house: House, phone: Client) -> None:
    asked(phone, house)
    house.sandbox.act(
        "nhsa", "file_entitlement", NUMBER, kind="cross_region", code="long_term", region="330300"
    )
    page = text(phone.get(filed(phone, house)["Location"]))
    assert "未备案" in page and "不能重复备案" in page and "没有备案，也没有扣款" in page


def test_a_filing_is_taken_back_after_a_question(house: House, phone: Client) -> None:
    asked(phone, house)
    address = filed(phone, house)["Location"]
    assert "要撤销备案吗" in text(phone.get(f"{address}/end"))
    assert Filing.objects.get().status == "FILED"
    assert phone.post(f"{address}/end").status_code == 303
    assert Filing.objects.get().status == "ENDED"
    assert "已撤销" in text(phone.get(address)) and "未备案" in text(phone.get(PAGE))
    # A page left open ends nothing twice.
    assert phone.post(f"{address}/end").status_code == 303
    assert InsuranceMessage.objects.filter(code="2502").count() == 1


def test_without_the_promise_nothing_is_sent(house: House, phone: Client) -> None:
    asked(phone, house)
    answer = filed(phone, house, promised="")
    assert answer.status_code == 400 and "请先确认备案内容属实" in text(answer)
    assert 'href="#promised"' in text(answer)
    assert filed(phone, house, way="x").status_code == 400
    assert not Filing.objects.exists()


def test_a_silent_insurer_is_a_sentence(house: House, phone: Client) -> None:
    house.fault("query", "drop_before")
    answer = phone.post(f"{PAGE}/ask", {"person": house.person.pk})
    assert answer.status_code == 409 and "没有任何变更" in text(answer)


def test_who_may_only_see_or_only_pay_reads_and_files_nothing(house: House, phone: Client) -> None:
    asked(phone, house)
    address = filed(phone, house)["Location"]
    for number, grants in enumerate(({"may_view": True}, {"may_pay": True}, {})):
        user = payments.user(f"p9{number}")
        access = payments.access(house.person, user, "other")
        PatientAccess.objects.filter(pk=access.pk).update(
            may_view="may_view" in grants, may_pay="may_pay" in grants
        )
        payments.access(patients.patient(), user)
        other = signed_in(user)
        for page in (f"{PAGE}?person={house.person.pk}", f"{FILE}?person={house.person.pk}",
                     address, f"{address}/end"):  # fmt: skip
            assert other.get(page).status_code == 404, (grants, page)
        assert filed(other, house).status_code == 404
        assert other.post(f"{address}/end").status_code == 404
    relative = payments.user("p95")
    access = payments.access(house.person, relative, "parent")
    PatientAccess.objects.filter(pk=access.pk).update(may_view=True, may_pay=True)
    assert "赵敏" not in text(signed_in(relative).get(address))
    assert signed_in(relative).get(address).status_code == 200


@pytest.mark.parametrize(
    "sent", [{}, {"person": "x"}, {"person": "404404"}, {"person": ["1", "2"]}]
)
def test_odd_people_are_no_page(house: House, phone: Client, sent: dict[str, Any]) -> None:
    wanted = 404 if sent else 303
    assert phone.post(f"{PAGE}/ask", sent).status_code == wanted
    assert phone.get(f"{PAGE}/filings/404404").status_code == 404


def test_a_region_that_files_nothing_says_where_to(house: House, phone: Client) -> None:
    asked(phone, house)
    InsuranceRegion.objects.update(filing_ways=[])
    assert "12393" in text(phone.get(PAGE))
    assert phone.get(FILE).status_code == 303
    assert filed(phone, house).status_code == 400


def test_a_disease_that_stands_is_shown_with_its_end(house: House, phone: Client) -> None:
    house.sandbox.act(
        "nhsa", "file_entitlement", NUMBER, kind="chronic", code="M03900", name="高血压",
        begndate="2026-01-01", enddate="2026-12-31",
    )  # fmt: skip
    page = asked(phone, house)
    assert "高血压" in page and "到2026年12月31日" in page


def test_the_page_costs_few_statements(house: House, phone: Client) -> None:
    asked(phone, house)
    with CaptureQueriesContext(connection) as seen:
        assert phone.get(PAGE).status_code == 200
    assert len(seen) <= 12
