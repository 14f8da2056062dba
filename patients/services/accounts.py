"""Accounts of patients: opened by a phone that proved itself, joined by wallets that vouch."""

from __future__ import annotations

import secrets
import unicodedata

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM, Actor
from core.audit import record
from core.crypto import blind_index
from core.errors import Conflict, Forbidden
from core.models import User
from patients.actors import patient_actor
from patients.locks import user_phone_locked, wallet_identity_locked
from patients.models import Patient, PatientAccess, Relation, UserPhone, WalletIdentity
from patients.models.account import PHONE_INDEX_PURPOSE
from patients.selectors.accounts import (
    identity_holder,
    people_have_number,
    phone_in_doubt,
    user_by_phone,
)
from patients.services.notifications import Message, notifications_queue
from patients.signin.base import Identity

_USERNAME_BYTES = 10
ANSWERS_MAX = 2
ANSWER_WRONG = _("No card bound to this account has a number that ends so. You can try once more.")
ANSWER_MISSING = _("Type the last four characters of the number.")
ANSWER_LENGTH = 4
IDENTITY_TAKEN = "identity_taken"


def account_open(*, phone: str, identity: Identity | None = None, address: str = "") -> User:
    """The account of a verified phone, made at its first sign-in, and the wallet it came with.

    All or nothing: a wallet that belongs to somebody else opens no account on the side.
    """
    with transaction.atomic():
        user_phone_locked(blind_index(phone, purpose=PHONE_INDEX_PURPOSE))
        user = user_by_phone(phone)
        if user is None:
            user = User(username=f"patient-{secrets.token_hex(_USERNAME_BYTES)}")
            user.set_unusable_password()
            user.save()
            now = clock.now()
            UserPhone.objects.create(user=user, phone=phone, verified_at=now, used_at=now)
            record(
                by=patient_actor(user),
                action="account_opened",
                subject="core.user",
                subject_id=user.pk,
                address=address,
            )
        account_usable(user)
        UserPhone.objects.filter(user=user).update(used_at=clock.now(), doubts=0)
        if identity is not None:
            identity_join(user=user, identity=identity, address=address)
    return user


def phone_asked(*, phone: str, address: str = "") -> bool:
    """Whether who holds this phone is asked whose account it opens.

    Where there is nothing to ask, for nobody with a number is bound, a phone in doubt is taken from
    its account at once.
    """
    with transaction.atomic():
        user_phone_locked(blind_index(phone, purpose=PHONE_INDEX_PURPOSE))
        row = phone_in_doubt(phone)
        if row is None:
            return False
        if people_have_number(row.user_id):
            return True
        _phone_let_go(row, address)
    return False


def phone_answer(*, phone: str, last: str, address: str = "") -> bool:
    """Take the answer of who holds a phone in doubt; whether it now opens an account.

    The right one opens the account as before. A second wrong one, counted over all browsers, takes
    the phone from it: the caller gets an account of their own, and the old one is restored at the
    window.
    """
    with transaction.atomic():
        user_phone_locked(blind_index(phone, purpose=PHONE_INDEX_PURPOSE))
        row = phone_in_doubt(phone)
        if row is None:
            return True
        asked = "".join(unicodedata.normalize("NFKC", last).split()).upper()
        if len(asked) == ANSWER_LENGTH and people_have_number(row.user_id, asked):
            row.used_at, row.doubts = clock.now(), 0
            row.save(update_fields=["used_at", "doubts"])
            return True
        row.doubts += 1
        row.save(update_fields=["doubts"])
        over = row.doubts >= ANSWERS_MAX
        if over:
            _phone_let_go(row, address)
        else:
            _phone_recorded(row, "phone_doubted", address)
    return over


def _phone_let_go(row: UserPhone, address: str) -> None:
    """The phone opens this account no more. Its holder cannot be told by it what is deducted, nor
    stop it (`settings.ACCOUNT_FOLLOWERS`)."""
    account_followers_call("phone_let_go", user=row.user, by=SYSTEM)
    _phone_recorded(row, "phone_let_go", address)
    row.delete()


def _phone_recorded(row: UserPhone, action: str, address: str) -> None:
    record(
        by=SYSTEM,
        action=action,
        subject="core.user",
        subject_id=row.user_id,
        address=address,
    )


def phone_change(*, user: User, phone: str, address: str = "") -> UserPhone:
    """Let another verified phone open the account; the old one opens it no more.

    Every other session ends, and the holder is told by the phone of before: an open session on a
    phone left lying about must not become an account for good. Only who holds the new phone gets
    here, so they may learn that it is somebody's already.
    """
    with transaction.atomic():
        user_phone_locked(blind_index(phone, purpose=PHONE_INDEX_PURPOSE))
        holder = user_by_phone(phone)
        if holder is not None and holder != user:
            raise Conflict(
                "phone_taken",
                _(
                    "This number belongs to another account here. Use another number, or sign in "
                    "with it."
                ),
                "phone",
            )
        old = UserPhone.objects.filter(user=user).first()
        row = UserPhone.objects.update_or_create(
            user=user,
            defaults={
                "phone": phone,
                "verified_at": clock.now(),
                "used_at": clock.now(),
                "doubts": 0,
            },
        )[0]
        user.set_unusable_password()  # what every session is bound to
        user.save(update_fields=["password"])
        key = f"phone_changed/{user.pk}/{clock.now().isoformat()}"
        before = old.phone if old is not None else ""
        told = Message(key, "phone_changed", user.pk, {}, phone=before)
        notifications_queue(messages=[told])
        record(
            by=patient_actor(user),
            action="phone_changed",
            subject="core.user",
            subject_id=user.pk,
            address=address,
        )
    return row


def account_for_another(*, user: User, patient: Patient, by: Actor) -> None:
    """A person binds their own card to an account that was another person's before.

    The wallets of before open it no more and get no messages of it; neither does a session that was
    left open anywhere. What was signed here since the other card left took from one of them: it
    stops too (`settings.ACCOUNT_FOLLOWERS`). Runs in the caller's transaction.
    """
    before = PatientAccess.objects.filter(user=user, relation=Relation.SELF)
    if not before.exclude(patient=patient).exists():
        return
    for path in settings.ACCOUNT_FOLLOWERS["another_person"]:
        import_string(path)(user=user, by=by)
    gone, _rows = WalletIdentity.objects.filter(user=user).delete()
    user.set_unusable_password()  # what every session is bound to
    user.save(update_fields=["password"])
    record(
        by=by,
        action="account_for_another",
        subject="core.user",
        subject_id=user.pk,
        detail={"wallets": gone},
    )


def account_usable(user: User) -> None:
    """Refuse an account that was closed, and one of staff: it signs in elsewhere."""
    if not user.is_active or user.is_staff:
        raise Forbidden(
            "account_closed", _("This account cannot be used here. Please ask at the window.")
        )


def identity_join(*, user: User, identity: Identity, address: str = "") -> WalletIdentity:
    """Keep a wallet's user id as this user's; Conflict when it is somebody else's.

    From now on it is known whose the wallet is: what takes from it for another account must stop
    (`settings.ACCOUNT_FOLLOWERS`).
    """
    with transaction.atomic():
        wallet_identity_locked(identity.app_id, identity.subject)
        holder = identity_holder(identity)
        if holder is not None and holder != user:
            raise Conflict(
                IDENTITY_TAKEN,
                _(
                    "This wallet belongs to another account here. Sign in with the phone number "
                    "of that account, or use your own wallet."
                ),
            )
        row, made = WalletIdentity.objects.get_or_create(
            channel=identity.channel,
            app_id=identity.app_id,
            subject=identity.subject,
            defaults={"user": user, "created_at": clock.now()},
        )
        if made:
            record(
                by=patient_actor(user),
                action="wallet_identity_joined",
                subject="core.user",
                subject_id=user.pk,
                detail={"channel": identity.channel, "app_id": identity.app_id},
                address=address,
            )
            account_followers_call("wallet_joined", identity=row, by=patient_actor(user))
    return row


def account_followers_call(event: str, **facts: object) -> None:
    """What follows in the same transaction from a change of who an account belongs to."""
    for path in settings.ACCOUNT_FOLLOWERS[event]:
        import_string(path)(**facts)


def identity_refused_record(*, identity: Identity, address: str) -> None:
    """Somebody came with a wallet of another account; told after what was refused is undone."""
    holder = identity_holder(identity)
    record(
        by=SYSTEM,
        action="wallet_identity_refused",
        subject="core.user",
        subject_id=holder.pk if holder else 0,
        detail={"channel": identity.channel, "app_id": identity.app_id},
        address=address,
    )


def sign_in_record(*, user: User, way: str, address: str) -> None:
    """Somebody signed in, and by what."""
    record(
        by=patient_actor(user),
        action="patient_signed_in",
        subject="core.user",
        subject_id=user.pk,
        detail={"by": way},
        address=address,
    )


def sign_out_record(*, user: User, everywhere: bool, address: str) -> None:
    """Somebody signed out. Everywhere: what every session is bound to is drawn anew."""
    with transaction.atomic():
        if everywhere:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        record(
            by=patient_actor(user),
            action="patient_signed_out",
            subject="core.user",
            subject_id=user.pk,
            detail={"everywhere": everywhere},
            address=address,
        )
