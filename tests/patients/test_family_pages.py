"""The family's pages: words and doors, without script; nobody reaches what is not theirs."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import User
from patients.models import Binding, PatientAccess, Relation
from patients.services.access import access_grant_set
from patients.services.binding_sends import binding_code_send
from patients.views import binding as binding_views
from tests.factories.accounts import patient_client, patient_user
from tests.factories.patients import campus, id_number
from tests.patients.binding_house import Phone, adult, begun, bound, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
STATEMENTS_MAX = 12


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The task runs at once, as a worker would a moment later."""
    asked: list[int] = []

    def at_once(_task: object, binding_id: int) -> None:
        asked.append(binding_id)
        binding_code_send(binding_id=binding_id)

    monkeypatch.setattr(binding_views, "enqueue", at_once)
    campus()
    return asked


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def typed(of: object, relation: str = "self", **values: str) -> dict[str, str]:
    told = {
        "relation": relation,
        "name": of.name,  # type: ignore[attr-defined]
        "id_type": "id_card",
        "id_number": of.id_number,  # type: ignore[attr-defined]
        "card_no": "",
        "step": "",
    }
    return told | values


def test_a_card_is_bound_from_the_first_page_to_the_family(phone: Phone) -> None:
    client, own = patient_client(), person()
    assert "/family/add" in text_of(client, "/family")
    asked = client.post("/family/add", typed(own))
    assert asked.status_code == 303
    assert own.name not in text_of(client, asked["Location"])
    assert asked["Location"] in text_of(client, "/family")  # whoever left to read it comes back
    done = client.post(asked["Location"], {"code": phone.code})
    assert (done.status_code, done["Location"]) == (303, "/family?done=bound")
    assert PatientAccess.objects.get().patient == own


def test_known_and_unknown_people_get_the_same_pages(phone: Phone) -> None:
    pages = []
    for known in (True, False):
        client, own = patient_client(), person()
        number = own.id_number if known else id_number(500)
        asked = client.post("/family/add", typed(own, id_number=number))
        row = Binding.objects.latest("pk")
        shown = text_of(client, asked["Location"])
        wrong = client.post(asked["Location"], {"code": "0000000"})
        again = client.post(f"/family/add/{row.pk}/again")
        pages.append(
            [
                asked.status_code,
                wrong.status_code,
                again.status_code,
                *(
                    words(page, row.pk)
                    for page in (shown, wrong.content.decode(), again.content.decode())
                ),
            ]
        )
    assert pages[0] == pages[1]
    assert len(phone.sent) == 1


def words(page: str, number: int) -> str:
    """A page without what is new on every page: the tokens and its own number."""
    lines = [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]
    return "\n".join(lines).replace(f"/family/add/{number}", "/family/add/N")


def test_a_fault_stands_at_its_box_and_what_was_typed_stays() -> None:
    client = patient_client()
    answer = client.post("/family/add", typed(person("陈秀兰"), id_number="110101199001010013"))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'href="#id_id_number"' in page and 'id="fault_id_number"' in page
    assert 'value="陈秀兰"' in page and not Binding.objects.exists()


def test_elder_mode_asks_one_question_a_page(phone: Phone) -> None:
    client, own = patient_client(), person()
    client.cookies["mode"] = "elder-1"
    page = text_of(client, "/family/add")
    assert 'name="step" value="relation"' in page and 'id="id_name"' not in page
    told = typed(own, step="relation")
    page = client.post("/family/add", told | {"name": "", "id_number": ""}).content.decode()
    assert 'id="id_name"' in page and 'type="hidden" name="relation" value="self"' in page
    page = client.post("/family/add", told | {"step": "name"}).content.decode()
    assert 'id="id_id_number"' in page and f'name="name" value="{own.name}"' in page
    faulty = client.post("/family/add", told | {"step": "id_number", "name": " "})
    assert 'id="fault_name"' in faulty.content.decode()  # back at the page with the box
    assert client.post("/family/add", told | {"step": "id_number"}).status_code == 303
    assert Binding.objects.get().name == own.name


def household(phone: Phone) -> tuple[User, User, PatientAccess]:
    father_user, father = adult(phone, "陈国")
    daughter, own = adult(phone, "陈雯")
    access = bound(phone, daughter, father, Relation.PARENT)
    bound(phone, daughter, person("陈安", date(2018, 5, 6), guardian=own), Relation.CHILD)
    return father_user, daughter, access


def test_the_three_lists_show_masked_names_only(phone: Phone) -> None:
    father_user, daughter, access = household(phone)
    of_father = text_of(patient_client(father_user), "/family")
    assert "陈*" in of_father and "陈雯" not in of_father
    assert f'id="pay-{access.pk}"' in of_father and f'id="view-{access.pk}"' in of_father
    of_daughter = text_of(patient_client(daughter), "/family")
    assert of_daughter.count("/end") == 3  # father, child, own
    assert "陈国" not in of_daughter and "陈安" not in of_daughter
    assert "您是登记的监护人" in of_daughter  # beside the child, no switch
    assert f'id="pay-{access.pk}"' not in of_daughter  # the father's switch is the father's


def test_a_switch_works_without_script(phone: Phone) -> None:
    father_user, _daughter, access = household(phone)
    client = patient_client(father_user)
    answer = client.post(f"/family/{access.pk}/grant", {"grant": "view", "granted": "1"})
    assert (answer.status_code, answer["Location"]) == (303, f"/family#view-{access.pk}")
    client.post(f"/family/{access.pk}/grant", {"grant": "pay", "granted": "0"})
    access.refresh_from_db()
    assert (access.may_view, access.may_pay) == (True, False)
    for wrong in ({}, {"grant": "own", "granted": "1"}, {"grant": "pay", "granted": "yes"}):
        assert client.post(f"/family/{access.pk}/grant", wrong).status_code == 404


def test_ending_asks_once_and_says_so(phone: Phone) -> None:
    father_user, daughter, access = household(phone)
    assert "陈*" in text_of(patient_client(father_user), f"/family/{access.pk}/end")
    client = patient_client(daughter)
    assert "陈*" in text_of(client, f"/family/{access.pk}/end")
    assert client.post(f"/family/{access.pk}/end")["Location"] == "/family?done=ended"
    assert client.post(f"/family/{access.pk}/end").status_code == 404


def test_nobody_reaches_the_rows_of_others(phone: Phone) -> None:
    _father_user, daughter, access = household(phone)
    own_of_daughter = PatientAccess.objects.get(user=daughter, relation="self")
    row = begun(daughter, person("外婆"), Relation.OTHER)
    stranger = patient_client(adult(phone, "外人")[0])
    for pk in (access.pk, own_of_daughter.pk, 99_999):
        assert stranger.get(f"/family/{pk}/end").status_code == 404
        assert stranger.post(f"/family/{pk}/end").status_code == 404
        told = {"grant": "view", "granted": "1"}
        assert stranger.post(f"/family/{pk}/grant", told).status_code == 404
    assert stranger.get(f"/family/add/{row.pk}").status_code == 404
    for path in ("", "/again", "/drop"):
        assert stranger.post(f"/family/add/{row.pk}{path}", {"code": phone.code}).status_code == 404
    assert PatientAccess.objects.filter(ended_at=None, may_view=True).count() == 3


@pytest.mark.parametrize("path", ["/family", "/family/add", "/code", "/family/1/end"])
def test_strangers_and_staff_are_led_to_the_sign_in(path: str, client: Client) -> None:
    assert client.get(path)["Location"].startswith("/accounts/login")
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(path)["Location"].startswith("/accounts/login")


def test_pages_ask_the_database_twelve_times_at_most(phone: Phone) -> None:
    father_user, daughter, access = household(phone)
    access_grant_set(user=father_user, access_id=access.pk, grant="view", granted=True, by=_actor())
    row = begun(daughter, person("外婆"), Relation.OTHER)
    client = patient_client(daughter)
    paths = ("/family", "/family/add", f"/family/add/{row.pk}", f"/family/{access.pk}/end", "/code")
    for path in paths:
        with CaptureQueriesContext(connection) as asked:
            text_of(client, path)
        assert len(asked) <= STATEMENTS_MAX, (path, [one["sql"][:80] for one in asked])


def _actor() -> object:
    return binding_views.patient_actor(patient_user())
