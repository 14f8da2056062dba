"""Who signed is only what the channel says, and it must be the holder's own wallet."""

from __future__ import annotations

import pytest

from billing.models import Agreement, BillingReview
from core import clock
from core.models import User
from patients.models import WalletIdentity
from tests.billing.services.agreement_house import Wallet, as_was, begin, family, told, wallet_of
from tests.billing.services.test_agreements import told as notice_told
from tests.factories import payments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


def known(user: User, subject: str, app_id: str = "wx0001", channel: str = "wechat_pay") -> None:
    WalletIdentity.objects.create(
        user=user, channel=channel, app_id=app_id, subject=subject, created_at=clock.now()
    )


def refused(agreement: Agreement, user: User) -> None:
    """Nothing of it stands, a person looks, the payer is told, the contract is asked to end."""
    assert notice_told(agreement, payer_id="oHolder") == "another wallet"
    assert (agreement.status, agreement.ended_how) == ("ENDED", "refused")
    assert (agreement.payer_id, agreement.signed_at) == ("", None)
    assert (agreement.contract_id, agreement.due_at) == ("202600000001", clock.now())
    assert agreement.unsign_asked_at is not None
    assert BillingReview.objects.get().figures == {"differs": "another wallet"}
    assert told(user) == ["agreement_refused"]


def test_a_wallet_we_did_not_know_signs_and_opens_no_account() -> None:
    user, own, _mother = family()
    agreement = begin(user, [own])
    assert notice_told(agreement, payer_id="oHolder") == "signed"
    assert agreement.payer_id == "oHolder"
    assert not WalletIdentity.objects.exists()
    assert told(user) == ["agreement_signed"]


def test_a_wallet_that_signed_for_somebody_else_is_refused() -> None:
    user, own, _mother = family()
    payments.agreement(own, payments.user(), "other", payer_id="oHolder")
    refused(begin(user, [own]), user)


def test_another_wallet_than_that_of_the_standing_agreements_is_refused() -> None:
    # given a holder who came by SMS and whose wallet is known by what it signed
    user, own, _mother = family()
    payments.agreement(own, user, payer_id="oHolders")
    # when a stranger, known to nobody, signs the next one
    refused(begin(user, [own]), user)
    # and the wallet that signed before may sign again
    user, own, _mother = family()
    payments.agreement(own, user, payer_id="oElders")
    again = begin(user, [own])
    assert notice_told(again, payer_id="oElders", contract_id="202600000002") == "signed"


def test_a_new_wallet_signs_once_the_old_ones_agreements_have_ended() -> None:
    user, own, _mother = family()
    payments.agreement(own, user, payer_id="oHolders", status="ENDED")
    assert notice_told(begin(user, [own]), payer_id="oHolder") == "signed"


def test_the_wallet_we_know_signs() -> None:
    user, own, _mother = family()
    known(user, "oHolder")
    assert notice_told(begin(user, [own]), payer_id="oHolder") == "signed"
    assert WalletIdentity.objects.count() == 1


def test_a_wallet_known_by_signing_in_to_the_same_app_signs() -> None:
    user, own, _mother = family()
    known(user, "oHolder", channel="wechat_login")
    assert notice_told(begin(user, [own]), payer_id="oHolder") == "signed"


def test_another_wallet_than_the_known_one_is_refused() -> None:
    user, own, _mother = family()
    known(user, "oKnown")
    refused(begin(user, [own]), user)


def test_the_wallet_of_another_user_is_refused_also_where_none_is_known() -> None:
    user, own, _mother = family()
    known(payments.user(), "oHolder")
    refused(begin(user, [own]), user)
    assert not WalletIdentity.objects.filter(user=user).exists()


def test_an_id_of_another_app_says_nothing() -> None:
    user, own, _mother = family()
    known(user, "oElsewhere", app_id="wx0002")
    assert notice_told(begin(user, [own]), payer_id="oHolder") == "signed"


def test_another_wallets_late_signing_of_an_ended_agreement_is_ended_too() -> None:
    user, own, _mother = family()
    known(user, "oKnown")
    agreement = begin(user, [own])
    Agreement.objects.filter(pk=agreement.pk).update(status="ENDED", ended_how="not_signed")
    assert notice_told(as_was(agreement), payer_id="oHolder") == "another wallet"
    assert (agreement.contract_id, agreement.due_at) == ("202600000001", clock.now())
    assert told(user) == []


def test_a_replay_by_another_wallet_leaves_what_stands() -> None:
    user, own, _mother = family()
    agreement = begin(user, [own])
    notice_told(agreement, payer_id="oHolder")
    assert notice_told(agreement, payer_id="oSomebody") == "another wallet"
    assert (agreement.status, agreement.payer_id) == ("ACTIVE", "oHolder")


def test_an_end_by_a_wallet_that_never_signed_is_asked_about() -> None:
    user, own, _mother = family()
    agreement = begin(user, [own])
    notice_told(agreement, payer_id="oHolder")
    assert notice_told(agreement, payer_id="oSomebody", active=False) == "another wallet"
    assert (agreement.status, agreement.due_at) == ("ACTIVE", clock.now())
    assert BillingReview.objects.count() == 1


def test_the_end_of_a_signing_does_not_take_another_ones_contract() -> None:
    user, own, _mother = family()
    first = begin(user, [own])
    notice_told(first, payer_id="oHolder")
    other_user, other, _mother = family()
    second = begin(other_user, [other])
    done = notice_told(second, active=False, contract_id="202600000001")
    assert done == "contract of another agreement"
    assert (second.status, second.contract_id) == ("SIGNING", "")
