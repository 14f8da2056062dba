"""Patients who hold an account: signed in, asked, and with a verified phone."""

from __future__ import annotations

import itertools
from typing import Any

from django.test import Client

from core import clock
from core.models import User
from patients.actors import patient_actor
from patients.models import ConsentPurpose, UserPhone
from patients.services.consents import consent_give

_numbers = itertools.count(1)


def patient_user(
    phone: str = "", *, consents: tuple[str, ...] = (ConsentPurpose.PRIVACY,), **values: Any
) -> User:
    """A user with a verified phone who gave the consents; pass `consents=()` for a first visit."""
    n = next(_numbers)
    user = User.objects.create_user(username=f"patient-{n}", **values)
    UserPhone.objects.create(user=user, phone=phone or f"137{n:08d}", verified_at=clock.now())
    for purpose in consents:
        consent_give(user=user, purpose=purpose, by=patient_actor(user))
    return user


def patient_client(user: User | None = None, **values: Any) -> Client:
    """A browser in which a patient is signed in; the user is `client.patient`."""
    user = user or patient_user(**values)
    client = Client()
    client.force_login(user)
    client.patient = user  # type: ignore[attr-defined]
    return client
