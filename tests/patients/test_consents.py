"""A consent is one yes to one text: given by hand, kept with version and hash, taken back alone."""

import hashlib
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from core.errors import BadInput
from core.models import AuditEvent
from patients.actors import patient_actor
from patients.consents import texts
from patients.consents.texts import FOLDER, consent_text
from patients.models import Consent, ConsentPurpose
from patients.selectors import consent_of, consent_stands, consents_of
from patients.services.consents import consent_give, consent_withdraw
from tests.factories.accounts import patient_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return patient_user(consents=())


def give(person, purpose="deduction", **values):
    return consent_give(user=person, purpose=purpose, by=patient_actor(person), **values)


def take_back(person, purpose="deduction"):
    return consent_withdraw(user=person, purpose=purpose, by=patient_actor(person))


def test_a_yes_names_the_words_it_was_given_to(person):
    given = give(person, address="10.0.0.7")
    content = (FOLDER / f"deduction.{given.text_version}.txt").read_bytes()
    assert given.text_hash == hashlib.sha256(content).hexdigest()
    assert consent_stands(user=person, purpose="deduction")
    audit = AuditEvent.objects.get(action="consent_given")
    assert (audit.actor, audit.address) == (f"patient:user-{person.pk}", "10.0.0.7")
    assert audit.detail["version"] == given.text_version


def test_a_second_yes_is_the_first_one(person):
    assert give(person).pk == give(person).pk
    assert AuditEvent.objects.filter(action="consent_given").count() == 1


def test_purposes_stand_alone(person):
    for purpose in ConsentPurpose:
        give(person, purpose)
    assert take_back(person, "face") == 1
    standing = {p.value for p in ConsentPurpose if consent_stands(user=person, purpose=p)}
    assert standing == {"privacy", "deduction", "credit"}
    assert take_back(person, "face") == 0
    assert AuditEvent.objects.filter(action="consent_withdrawn").count() == 1


def test_who_agrees_again_gets_a_new_row(person):
    first = give(person)
    take_back(person)
    again = give(person)
    first.refresh_from_db()
    assert (again.pk != first.pk, first.withdrawn_at is not None) == (True, True)


def test_a_new_version_asks_again(person, monkeypatch, tmp_path):
    old = give(person)
    for path in FOLDER.glob("*.txt"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "deduction.2.txt").write_text("自动扣款\n新的一句。\n", encoding="utf8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    texts.consent_text.cache_clear(), texts.current_version.cache_clear()
    try:
        assert not consent_stands(user=person, purpose="deduction")
        state = consent_of(user=person, purpose="deduction")
        assert (state.given, state.outdated, state.text.version) == (False, True, "2")
        with pytest.raises(BadInput) as refused:
            give(person, text_hash=old.text_hash)
        assert refused.value.code == "text_changed"
        give(person, text_hash=state.text.sha256)
        assert consent_stands(user=person, purpose="deduction")
        # Taking back means all of it, the old version's row too.
        assert take_back(person) == 2
    finally:
        monkeypatch.undo()
        texts.consent_text.cache_clear(), texts.current_version.cache_clear()


def test_there_is_no_other_purpose(person):
    with pytest.raises(BadInput):
        give(person, "advertising")
    with pytest.raises(BadInput):
        take_back(person, "../privacy")
    with pytest.raises(LookupError):
        consent_text("../privacy", "1")
    assert not Consent.objects.exists()


def test_the_database_keeps_one_standing_row(person):
    given = give(person)
    copy = {
        f: getattr(given, f) for f in ("user", "purpose", "text_version", "text_hash", "given_at")
    }
    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        Consent.objects.create(**copy)


def test_every_purpose_is_listed_with_its_text(person):
    give(person, "privacy")
    listed = {state.purpose.value: state for state in consents_of(person)}
    assert set(listed) == {"privacy", "face", "deduction", "credit"}
    assert (listed["privacy"].given, listed["face"].given) == (True, False)
    assert all(state.text.title and state.text.paragraphs for state in listed.values())


@pytest.mark.django_db(transaction=True)
def test_two_fingers_give_one_consent():
    person, errors = patient_user(consents=()), []

    def press():
        try:
            give(person)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert (errors, Consent.objects.count()) == ([], 1)
