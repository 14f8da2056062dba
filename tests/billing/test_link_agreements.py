"""A pay link read by somebody who is signed in: their own agreement is one tap away, no other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from billing.channels.base import ChannelAnswer
from billing.models import Invoice, PayLink, Payment
from billing.services.collecting.pay_links import pay_link_offer
from core import clock
from core.outcomes import Outcome
from tests.billing.portal_house import PHONE, bill, family, signed_in, text_of
from tests.factories import patients as people
from tests.factories import payments

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The agreements that were asked for money, in order."""
    found: list[int | None] = []

    def send(*, row: Any, **_: Any) -> ChannelAnswer:
        found.append(row.payment.agreement_id)
        return ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200", occurred_at=clock.now())

    monkeypatch.setattr("billing.services.collecting.pay_choices.capture_send", send)
    return found


def link_to(one: Invoice) -> str:
    """The path of a link to this bill."""
    link: PayLink = pay_link_offer(invoice=one)
    return f"/p/{link.token}"


def ways(client: Client, link: str) -> list[str]:
    body = client.get(f"{link}/pay").content.decode()
    return re.findall(r'name="way" value="([^"]+)"', body)


def test_who_may_pay_for_the_patient_is_offered_their_own_agreement_and_it_is_taken_once(
    taken: list[int | None],
) -> None:
    # Given the daughter's agreement that pays for her mother, and the mother's bill by its link
    user, _own, mother = family()
    hers = payments.agreement(mother, user)
    one = bill(mother, 8640)
    link, client = link_to(one), signed_in(user)

    # Then it stands first, and one press, even doubled, pays
    assert ways(client, link)[0] == f"agreement-{hers.pk}"
    assert "微信免密" in text_of(client.get(f"{link}/pay"))
    for _ in range(2):
        sent = {"way": f"agreement-{hers.pk}", "form_key": "k1"}
        answer = client.post(f"{link}/pay", sent)
        assert (answer.status_code, answer.url) == (303, f"{link}/result")
    assert taken == [hers.pk]
    assert Payment.objects.get().payer_id == user.pk
    assert "已支付" in text_of(client.get(f"{link}/result"))


def test_a_relatives_agreement_is_offered_behind_a_link_to_nobody_but_them(
    taken: list[int | None],
) -> None:
    # Given the daughter's agreement for her mother, who reads the link on her own phone
    user, _own, mother = family()
    hers = payments.agreement(mother, user)
    own_user = payments.user()
    payments.access(mother, own_user)
    one = bill(mother, 8640)
    link = link_to(one)
    sent = {"way": f"agreement-{hers.pk}", "form_key": "k1"}

    # Then the mother, a stranger who is signed in and one who is not are never offered it
    visitors = [
        signed_in(own_user),
        signed_in(payments.user()),
        Client(headers={"User-Agent": PHONE}),
    ]
    for client in visitors:
        assert not [way for way in ways(client, link) if way.startswith("agreement")]
        answer = client.post(f"{link}/pay", sent)
        assert answer.status_code == 409
        assert "没有扣款" in text_of(answer)
    assert taken == []
    assert not Payment.objects.exists()


def test_a_binding_that_only_looks_or_has_ended_offers_nothing(taken: list[int | None]) -> None:
    people.campus()
    patient, looks = people.patient(), payments.user()
    access = payments.access(patient, looks, "parent", may_view=True)
    hers = payments.agreement(patient, looks)
    link = link_to(bill(patient, 8640))
    client = signed_in(looks)
    assert ways(client, link)[0] == f"agreement-{hers.pk}"

    access.may_pay = False
    access.save()
    assert not [way for way in ways(client, link) if way.startswith("agreement")]
    sent = {"way": f"agreement-{hers.pk}", "form_key": "k1"}
    assert client.post(f"{link}/pay", sent).status_code == 409
    assert taken == []


def test_an_agreement_of_another_bill_is_refused_behind_a_link(taken: list[int | None]) -> None:
    user, own, mother = family()
    for_herself = payments.agreement(own, user)
    link = link_to(bill(mother, 8640))
    sent = {"way": f"agreement-{for_herself.pk}", "form_key": "k1"}
    assert signed_in(user).post(f"{link}/pay", sent).status_code == 409
    assert taken == []
