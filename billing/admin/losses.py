"""Fund losses in the admin: a list with what is open, a page with every step, and two people.

Finance records and claims; a reviewer decides. Nothing is posted before the decision.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.loss_forms import NextForm, RecordForm, StepForm
from billing.models import FundLoss, LossStep, LossStepKind
from billing.selectors.losses import LossSums, carriers_of_bill, loss_sums, losses_with_sums
from billing.services.losses import fund_loss_record, loss_step_ask, loss_step_decide
from core import clock
from core.actors import Actor
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE, actor_text
from core.errors import BadInput, Refusal
from core.models import User
from core.money import format_yuan
from core.review import ReviewStatus
from core.staff import staff_actor
from insurance.models import Claim

RECORD, DECIDE = "billing.record_fundloss", "billing.decide_fundloss"
VERDICTS = {
    "approve": ReviewStatus.APPROVED,
    "reject": ReviewStatus.REJECTED,
    "withdraw": ReviewStatus.WITHDRAWN,
}
DIGITS_MAX = 18


class Standing(admin.SimpleListFilter):
    """What is still to be done about a loss."""

    title = gettext_lazy("to be done")
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("waits", _("waits for a decision")),
            ("claimable", _("recourse may be claimed")),
            ("outstanding", _("recourse outstanding")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        used = F("taken_back_fen") + F("claimed_fen")
        wanted = {
            "waits": Q(waits=True),
            "claimable": Q(waits=False, borne_fen__gt=used),
            "outstanding": Q(claimed_fen__gt=F("collected_fen") + F("written_off_fen")),
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


@admin.register(FundLoss)
class FundLossAdmin(ReadOnlyAdmin):
    """A loss names no patient: its claim's page does, masked."""

    list_display = (
        "created_at", "number", "claimed_of", "reason", "borne", "recourse", "collected",
        "outstanding", "stands",
    )  # fmt: skip
    list_filter = (Standing, "reason")
    search_fields = ("number__exact", "claim__settlement_no__exact")
    fields = (
        "number", "claimed_of", "agency", "reason", "explanation", "opened_by", "created_at",
    )  # fmt: skip
    change_list_template = "billing/losses/list.html"
    change_form_outer_before_template = "billing/losses/course.html"

    def row_title(self, row: FundLoss) -> str:
        return f"{_('fund loss')} {row.number}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundLoss]:
        return losses_with_sums().order_by(*self.ordering)

    @admin.display(description=gettext_lazy("settlement"))
    def claimed_of(self, obj: FundLoss) -> str:
        page = reverse("admin:insurance_claim_change", args=[obj.claim_id])
        return format_html('<a href="{}">{}</a>', page, obj.claim.settlement_no)

    @admin.display(description=gettext_lazy("borne"))
    def borne(self, obj: Any) -> str:
        return format_yuan(obj.borne_fen - obj.taken_back_fen)

    @admin.display(description=gettext_lazy("claimed"))
    def recourse(self, obj: Any) -> str:
        return format_yuan(obj.claimed_fen)

    @admin.display(description=gettext_lazy("collected"))
    def collected(self, obj: Any) -> str:
        return format_yuan(obj.collected_fen)

    @admin.display(description=gettext_lazy("outstanding"))
    def outstanding(self, obj: Any) -> str:
        return format_yuan(obj.claimed_fen - obj.collected_fen - obj.written_off_fen)

    @admin.display(description=gettext_lazy("to be done"))
    def stands(self, obj: Any) -> str:
        if obj.waits:
            return _("waits for a decision")
        if obj.claimed_fen > obj.collected_fen + obj.written_off_fen:
            return _("recourse outstanding")
        if obj.borne_fen > obj.taken_back_fen + obj.claimed_fen:
            return _("recourse may be claimed")
        return NONE

    def get_urls(self) -> list[URLPattern]:
        door, name = self.admin_site.admin_view, "billing_fundloss"
        return [
            path("record/", door(self.record), name=f"{name}_record"),
            path("<path:object_id>/ask/", door(self.ask), name=f"{name}_ask"),
            path("<path:object_id>/decide/", door(self.decide), name=f"{name}_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        course = {} if row is None else course_of(request, row)
        return super().change_view(request, object_id, form_url, course | (extra_context or {}))

    def record(self, request: HttpRequest) -> HttpResponse:
        """A new loss of a settlement; the first step waits for the second person."""
        actor = _actor(request, RECORD)
        sent = request.POST if request.method == "POST" else None
        form = RecordForm(sent, initial=_initial(request))
        refusal: Refusal | None = None
        if form.is_valid():
            try:
                loss = fund_loss_record(
                    claim_id=_claim_of(form.cleaned_data["settlement_no"].strip()),
                    reason=form.cleaned_data["reason"],
                    asked=form.asked(),
                    by=actor,
                )
            except Refusal as refused:
                refusal = refused
            else:
                messages.success(request, _("Recorded. Another person decides."))
                return _to(loss.pk)
        faults = [str(refusal.message)] if refusal else faults_of(form)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Record a fund loss"),
            "form": form,
            "faults": faults,
        }
        status = refusal.status if refusal else 400 if faults else 200
        return render(request, "billing/losses/record.html", context, status=status)

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The next step: recourse, what came of it, or the loss taken back."""
        actor = _actor(request, RECORD)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = NextForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(faults_of(form)))
            return _to(_whole(object_id))
        chosen = form.cleaned_data["institution"]
        try:
            loss_step_ask(
                loss_id=_whole(object_id),
                kind=form.cleaned_data["kind"],
                institution_id=chosen.pk if chosen else None,
                asked=form.asked(),
                by=actor,
            )
        except Refusal as refused:
            messages.error(request, str(refused.message))
        else:
            messages.success(request, _("Recorded. Another person decides."))
        return _to(_whole(object_id))

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve or reject what somebody else asked for; whoever asked may withdraw it."""
        verdict = VERDICTS.get(request.POST.get("verdict", ""))
        withdraws = verdict == ReviewStatus.WITHDRAWN
        actor = _actor(request, RECORD if withdraws else DECIDE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        loss_id = _whole(object_id)
        step = LossStep.objects.filter(
            loss=loss_id, pk=_whole(request.POST.get("step", ""))
        ).first()
        if verdict is None or step is None:
            messages.error(request, _("Choose one of the buttons."))
            return _to(loss_id)
        comment = request.POST.get("comment", "").replace("\0", "")
        try:
            loss_step_decide(step_id=step.pk, to=verdict, by=actor, comment=comment)
        except Refusal as refused:
            messages.error(request, str(refused.message))
        else:
            messages.success(request, _("Decided. It is on record with your name."))
        return _to(loss_id)


def course_of(request: HttpRequest, loss: FundLoss) -> dict[str, Any]:
    """Every step of a loss, its sums, and the form of who may go on."""
    assert isinstance(request.user, User)
    steps = list(loss.steps.select_related("institution").order_by("pk"))
    waits = next((one for one in steps if one.status == ReviewStatus.OPEN), None)
    sums = loss_sums(loss.pk)
    open_sums = sums.claimable_fen > 0 or sums.outstanding_fen > 0
    form = None
    if waits is None and open_sums and request.user.has_perm(RECORD):
        form = NextForm(initial=_likely(loss, steps, sums) | {"occurred_on": clock.today()})
    return {
        "steps": [(one, actor_text(one.opened_by), _decider(one)) for one in steps],
        "sums": sums,
        "waits": waits,
        "is_own": waits is not None and waits.opened_by == staff_actor(request.user).key,
        "next_form": form,
    }


def faults_of(form: StepForm) -> list[str]:
    """What is wrong with what was typed, each once."""
    return list(dict.fromkeys(str(one) for told in form.errors.values() for one in told))


def _claim_of(number: str) -> int:
    """A claim by the insurer's number of its settlement, or by ours; 0 is nobody's."""
    rows = Claim.objects.filter(Q(settlement_no=number) | Q(batch_no=number)).order_by("pk")
    found = list(rows.values_list("pk", flat=True)[:2])
    if len(found) > 1:
        message = _("Several settlements have this number. Give our batch number instead.")
        raise BadInput("settlement_no", message, "settlement_no")
    return found[0] if found else 0


def _likely(loss: FundLoss, steps: list[LossStep], sums: LossSums) -> dict[str, Any]:
    """What probably comes next: money of whom it was claimed from last, else a claim on whoever
    carried the bill."""
    if sums.outstanding_fen > 0:
        last = [one for one in steps if one.kind == LossStepKind.CLAIMED and one.entry_id][-1]
        return {"kind": LossStepKind.COLLECTED.value, "institution": last.institution_id}
    carried = sorted(carriers_of_bill(loss.claim))
    return {"kind": LossStepKind.CLAIMED.value, "institution": next(iter(carried), None)}


def _decider(step: LossStep) -> Any:
    return actor_text(step.decided_by) if step.decided_by else NONE


def _initial(request: HttpRequest) -> dict[str, Any]:
    wanted = request.GET.get("settlement_no", "").replace("\0", "")
    return {"settlement_no": wanted, "occurred_on": clock.today()}


def _actor(request: HttpRequest, right: str) -> Actor:
    if not request.user.has_perm(right):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return staff_actor(request.user)


def _to(loss_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:billing_fundloss_change", args=[loss_id]))


def _whole(text: str) -> int:
    """A row's number from a form; 0 is nobody's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else 0
