"""Patients and visits."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.authentication import client_of
from billing.his.schema import documented
from billing.his.serializers.people import (
    CancelSerializer,
    CloseSerializer,
    EncounterAnswerSerializer,
    EncounterSerializer,
    PatientAnswerSerializer,
    PatientSerializer,
    encounter_input,
    operator_of,
    operator_or_none,
    patient_input,
)
from billing.his.views.base import HisView, body_of
from billing.selectors.insured import credential_is_held
from billing.services.charging.encounters import encounter_cancel_with_charges, encounter_open
from billing.services.insuring.proofs import ProofTaken, proof_take
from billing.services.insuring.resuming import visit_bills_resume
from billing.tasks import go_on
from core.actors import Actor
from patients.models import Encounter
from patients.services.encounters import encounter_close
from patients.services.patients import patient_register


class PatientView(HisView):
    @extend_schema(**documented(PatientSerializer, PatientAnswerSerializer, "mrn", put=True))
    def put(self, request: Request, mrn: str) -> Response:
        """Register a record number, or replace what is known under it.

        A record number stands for one person. 409 `other_person` on `id_number`: the record has
        another certificate number; on `name`: another name comes without the number of the record,
        or the desk did not take the name over. Give the other person a record number of their own.
        Another name with the same number answers 200 with `in_review` and writes nothing until the
        desk has decided. A number may be added where there was none; left out, it stays. 409
        `joined_patient`: the person has several record numbers and is corrected by review.

        400 `other_birth_date`: `birth_date` is not the one in the ID number.

        Phone, birth date, sex and guardian that another client told stay as they are once the
        person, a ward or the guardian is bound by an account; a guardian that another client
        leaves out stays in any case. The call succeeds; the audit says what was not taken over.
        """
        data = body_of(request, PatientSerializer())
        client = client_of(request)
        done = patient_register(
            client=client,
            mrn=mrn,
            data=patient_input(data),
            by=operator_or_none(data) or Actor("his", client.code, client.name),
        )
        answer = {"mrn": mrn, "in_review": done.in_review}
        return Response(answer, status=201 if done.created else 200)


class EncounterView(HisView):
    @extend_schema(
        **documented(EncounterSerializer, EncounterAnswerSerializer, "encounter_no", put=True)
    )
    def put(self, request: Request, encounter_no: str) -> Response:
        """Open a visit, or replace what is known of it."""
        data = body_of(request, EncounterSerializer())
        client, values = client_of(request), encounter_input(data)
        by = operator_or_none(data)
        # A code is read once: the same registration sent again finds the proof it brought.
        known = credential_is_held(client, encounter_no, values.input_hash)
        done = encounter_open(client=client, encounter_no=encounter_no, data=values, by=by)
        answer = _answer(done.encounter)
        if "credential" in data:
            actor = by or Actor("his", client.code, client.name)
            taken = ProofTaken(True) if known else _taken(done.encounter, data["credential"], actor)
            answer["credential"] = "held" if taken.held else "refused"
            answer |= {"reason": taken.reason} if taken.reason else {}
            answer |= {"sentence": taken.sentence} if taken.sentence else {}
            for invoice_id in visit_bills_resume(encounter_id=done.encounter.pk):
                go_on(invoice_id)
        return Response(answer, status=201 if done.created else 200)


class EncounterCancelView(HisView):
    concerns_money: ClassVar[bool] = True

    @extend_schema(**documented(CancelSerializer, EncounterAnswerSerializer, "encounter_no"))
    def post(self, request: Request, encounter_no: str) -> Response:
        """Cancel a visit (退号) that has no open or unreturned bill."""
        data = body_of(request, CancelSerializer())
        encounter = encounter_cancel_with_charges(
            client=client_of(request),
            encounter_no=encounter_no,
            by=operator_of(data),
            reason=data.get("reason", ""),
        )
        return Response(_answer(encounter))


class EncounterCloseView(HisView):
    @extend_schema(**documented(CloseSerializer, EncounterAnswerSerializer, "encounter_no"))
    def post(self, request: Request, encounter_no: str) -> Response:
        """Close a visit; for an inpatient the discharge."""
        data = body_of(request, CloseSerializer())
        client = client_of(request)
        encounter = encounter_close(
            client=client,
            encounter_no=encounter_no,
            by=operator_or_none(data) or Actor("his", client.code, client.name),
            diagnoses=data.get("diagnoses"),
            outcome=data.get("outcome", ""),
        )
        return Response(_answer(encounter))


def _taken(visit: Encounter, credential: dict[str, Any], by: Actor) -> ProofTaken:
    return proof_take(
        visit=visit,
        kind=credential["type"],
        value=credential["value"],
        serial=credential.get("serial", ""),
        by=by,
    )


def _answer(encounter: Encounter) -> dict[str, str]:
    return {"encounter_no": encounter.encounter_no, "status": encounter.status}
