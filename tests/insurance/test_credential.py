"""A code or a face becomes an identity with a token; the visit keeps it encrypted and not long."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core import clock
from core.actors import Actor
from core.errors import Conflict, Forbidden
from core.models import AuditEvent, OutboundCall
from core.outcomes import Outcome
from insurance.gateway import credential
from insurance.gateway.credential import CredentialService, Identity, Terminal
from insurance.services.credentials import (
    credential_hold,
    credential_of,
    credentials_forget,
)
from tests.factories import patients
from tests.insurance import samples
from tests.insurance.conftest import Recorded

pytestmark = pytest.mark.django_db
TERMINAL = Terminal("A03", "内科", "SelfService", "T1", "10.0.0.9")
NUMBER = "110101199001010015"
OUT = {
    "idNo": NUMBER, "idType": "01", "userName": "测试人", "ecToken": samples.TOKEN,
    "insuOrg": "440100", "gender": "1", "birthday": "1990-01-01", "authNo": "A1",
}  # fmt: skip
DOCTOR = Actor("staff", "D1", "医师")


def reply(data: Any, code: Any = 0, message: str = "") -> bytes:
    said = {"orgId": samples.INSTITUTION, "code": code, "message": message, "data": data}
    return json.dumps(said, ensure_ascii=False).encode()


def sent(recorded: Recorded, call: Any) -> Any:
    site = samples.site(credential_url=f"{recorded.url}/nhsa/ec")
    content = CredentialService().content(call, site, samples.stamp())
    return CredentialService().send(call, site, samples.stamp(), content)


def test_a_shown_code_becomes_an_identity(recorded: Recorded) -> None:
    recorded.answer(reply(OUT))
    answer = sent(recorded, credential.code_decode("2812345678", TERMINAL))
    found = answer.known
    assert (found.name, found.insured_area) == ("测试人", "440100")
    assert found.credential.number == samples.TOKEN
    said = recorded.last
    assert (said["orgId"], said["transType"]) == (samples.INSTITUTION, "ec.query")
    assert said["data"] == said["data"] | {
        "ecQrCode": "2812345678", "businessType": "01301", "officeId": "A03",
        "operatorId": "KIOSK1", "deviceType": "SelfService", "termIp": "10.0.0.9",
    }  # fmt: skip
    row = OutboundCall.objects.get()
    for secret in (samples.TOKEN, NUMBER, "测试人", "2812345678"):
        assert secret not in row.response_body + row.request_body + repr(answer)


def test_a_face_is_another_way_to_the_same_token(recorded: Recorded) -> None:
    recorded.answer(reply({"authNo": "A1", "outBizNo": "F1"}))
    auth_no = sent(recorded, credential.face_authorise("F1", TERMINAL)).known
    recorded.answer(reply(json.dumps(OUT)))
    found = sent(recorded, credential.face_identity("F1", auth_no, TERMINAL)).known
    assert found.token == samples.TOKEN
    recorded.answer(reply(OUT | {"authNo": "A2"}))
    assert sent(recorded, credential.face_identity("F1", "A1", TERMINAL)).code == "Different"
    recorded.answer(reply({"authNo": "A1", "outBizNo": "F2"}))
    assert sent(recorded, credential.face_authorise("F1", TERMINAL)).code == "Different"


@pytest.mark.parametrize(("body", "outcome"), [
    (reply(None, "1001", "二维码已过期"), Outcome.DECLINED),
    (reply(None, -1, "系统异常"), Outcome.UNKNOWN),
    (reply(OUT | {"ecToken": ""}), Outcome.UNKNOWN),
    (reply(OUT | {"ecToken": "x" * 65}), Outcome.UNKNOWN),
    (b"<html>", Outcome.UNKNOWN),
    (json.dumps({"orgId": "H99999999999", "code": 0, "data": OUT}).encode(), Outcome.UNKNOWN),
])  # fmt: skip
def test_a_code_that_is_no_identity(recorded: Recorded, body: bytes, outcome: Outcome) -> None:
    recorded.answer(body)
    answer = sent(recorded, credential.code_decode("28", TERMINAL))
    assert (answer.outcome, answer.value) == (outcome, None)
    assert str(answer.sentence)


def identity(**values: Any) -> Identity:
    filled: dict[str, Any] = {
        "name": "张三",
        "id_number": NUMBER,
        "id_kind": "01",
        "token": samples.TOKEN,
        "insured_area": "440100",
    }
    return Identity(**filled | values)


def test_the_token_lies_encrypted_and_goes_with_the_visit() -> None:
    encounter = patients.encounter(of=patients.patient(number=NUMBER))
    assert credential_of(encounter) is None
    credential_hold(encounter=encounter, identity=identity(), by=DOCTOR)
    held = credential_of(encounter)
    assert held is not None and held.number == samples.TOKEN
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM insurance_heldcredential")
        assert samples.TOKEN not in cursor.fetchone()[0]
    credential_hold(encounter=encounter, identity=identity(token="T2"), by=DOCTOR)
    assert credential_of(encounter).number == "T2"  # type: ignore[union-attr]
    assert credentials_forget() == 0


def test_the_token_expires_with_the_day(still_clock: clock.FrozenClock) -> None:
    encounter = patients.encounter(of=patients.patient(number=NUMBER))
    credential_hold(encounter=encounter, identity=identity(), by=DOCTOR)
    still_clock.advance(timedelta(hours=14))
    assert credential_of(encounter) is None
    assert (credentials_forget(), credentials_forget()) == (1, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, held FROM insurance_heldcredential")
        assert cursor.fetchone() == ("", False)


@pytest.mark.parametrize("other", [
    {"id_number": "110101199001010023"}, {"name": "李四"},
])  # fmt: skip
def test_another_persons_code_is_refused_and_recorded(other: dict[str, str]) -> None:
    encounter = patients.encounter(of=patients.patient(number=NUMBER))
    with pytest.raises(Forbidden):
        credential_hold(encounter=encounter, identity=identity(**other), by=DOCTOR)
    assert credential_of(encounter) is None
    event = AuditEvent.objects.get(action="insurance_other_person")
    assert (event.actor, event.subject_id) == ("staff:D1", str(encounter.pk))


def test_a_record_without_number_and_a_closed_visit_take_no_code() -> None:
    nobody = patients.encounter(of=patients.patient())
    with pytest.raises(Forbidden):
        credential_hold(encounter=nobody, identity=identity(id_number=""), by=DOCTOR)
    over = patients.encounter(of=patients.patient(number=NUMBER), status="CLOSED")
    with pytest.raises(Conflict):
        credential_hold(encounter=over, identity=identity(), by=DOCTOR)
