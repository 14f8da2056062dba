"""Signing: which institution, for whom and up to how much, off to the channel, and what came of it.

The result is one of three: signed, in progress, not signed. Only what the channel told us moves it;
coming back from the channel's page proves nothing.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from billing.forms import STEPS, AgreementForm, faults_of
from billing.models import AgreementPlan, AgreementStatus
from billing.selectors.agreement_plans import (
    plan_hospital,
    plan_is_offered,
    plans_offered,
    plans_open,
)
from billing.selectors.agreements import (
    LIVE,
    AgreementRow,
    Person,
    agreement_channel_word,
    payable_people,
)
from billing.services.agreements.answers import agreement_refresh
from billing.services.agreements.signing import agreement_sign_begin, agreement_sign_url
from billing.tasks import tell
from billing.views.agreement_pages import NUMBER_LENGTH_MAX, by_holder, shown, to
from core.errors import Refusal
from core.page_mode import page_mode
from core.web_addresses import peer_address
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import ConsentPurpose
from patients.selectors import consent_of

logger = logging.getLogger(__name__)
REFRESH_S = 5


@patient_required
@require_safe
def agreement_new(request: HttpRequest) -> HttpResponse:
    """Every institution whose agreement is in term, none of them first for everybody."""
    return shown(request, "new", {"groups": plans_offered(the_patient(request))})


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_form(request: HttpRequest, plan_id: int) -> HttpResponse:
    """For whom, up to how much, and the consent. Elder mode asks one of them a page."""
    user = the_patient(request)
    plan = _plan(plan_id)
    people = payable_people(user)
    consent = consent_of(user=user, purpose=ConsentPurpose.DEDUCTION)
    form = AgreementForm(
        request.POST if request.method == "POST" else None,
        plan=plan,
        people=people,
        consented=consent.given,
        elder=page_mode(request.COOKIES).elder,
    )
    refusal: Refusal | None = None
    if form.is_bound and not form.next_step and form.is_valid():
        try:
            agreement = agreement_sign_begin(
                user=user,
                plan_id=plan.pk,
                patient_ids=form.cleaned_data["people"],
                limits=form.limits,
                text_hash="" if consent.given else form.cleaned_data["text"],
                by=patient_actor(user),
                address=peer_address(request),
            )
            tell()
            return to("agreement_sign", agreement.pk)
        except Refusal as refused:
            refusal = refused
    return _form_page(request, form, plan, people, refusal)


def _form_page(
    request: HttpRequest,
    form: AgreementForm,
    plan: AgreementPlan,
    people: tuple[Person, ...],
    refusal: Refusal | None,
) -> HttpResponse:
    """All questions, or the one whose turn it is; what was answered is carried along."""
    step = form.next_step
    if refusal is not None and form.elder:
        step = next((name for name in STEPS if refusal.field in STEPS[name]), form.questions[-1])
    asked = [step] if step else form.questions
    fields = [name for question in asked for name in STEPS[question]]
    wrong = form.is_bound and (not form.elder or form.first_wrong)
    carried = [
        (name, value)
        for question in form.questions
        if question not in asked
        for name in STEPS[question]
        for value in request.POST.getlist(name)
    ]
    context = {
        "plan": plan,
        "place": plan_hospital(plan),
        "channel": agreement_channel_word(plan.merchant.channel),
        "people": people,
        "form": form,
        "asked": asked,
        "last": not step or step == form.questions[-1],
        "step": step,
        "carried": carried,
        "sent": request.POST.getlist("people"),
        "text": consent_of(user=the_patient(request), purpose=ConsentPurpose.DEDUCTION).text,
        "faults": faults_of(form, fields) if wrong and refusal is None else [],
    }
    return shown(request, "form", context, refusal)


@by_holder
@require_safe
def agreement_sign(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """One more step, at the channel. A channel that takes no address comes back to this page."""
    agreement = row.agreement
    if agreement.status != AgreementStatus.SIGNING:
        return to("agreement_result", agreement.pk)
    back = settings.PORTAL_URL + reverse("agreement_result", args=[agreement.pk])
    try:
        url = agreement_sign_url(agreement=agreement, return_url=back)
    except Refusal as refusal:
        return shown(request, "sign", {"row": row, "url": ""}, refusal)
    return shown(request, "sign", {"row": row, "url": url})


@by_holder
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_result(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """Signed, in progress or not signed; asked for by hand, the channel is asked too."""
    agreement = row.agreement
    signing = agreement.status == AgreementStatus.SIGNING
    if request.method == "POST":
        if signing:
            _ask(agreement.pk)
        return to("agreement_result", agreement.pk, asked="yes")
    if request.headers.get("HX-Request") == "true":
        answer = HttpResponse(status=204 if signing else 200)
        if not signing:
            answer.headers["HX-Refresh"] = "true"
        return answer
    if agreement.status == AgreementStatus.ENDED and agreement.signed_at is not None:
        return to("agreement_show", agreement.pk)
    result = "in_progress" if signing else "not_signed"
    context = {
        "row": row,
        "result": "signed" if agreement.status in LIVE else result,
        "asked": request.GET.get("asked") == "yes",
        "refresh_s": REFRESH_S,
    }
    return shown(request, "result", context)


def _ask(agreement_id: int) -> None:
    try:
        agreement_refresh(agreement_id=agreement_id)
    except Exception:
        # The channel's trouble: the page goes on to say that it is in progress.
        logger.exception("agreement %s could not be asked about", agreement_id)


def _plan(plan_id: int) -> AgreementPlan:
    fits = len(str(plan_id)) <= NUMBER_LENGTH_MAX
    plan = plans_open().filter(pk=plan_id).first() if fits else None
    if plan is None or not plan_is_offered(plan):
        raise Http404
    return plan
