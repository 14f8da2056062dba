"""The insurance wallet on a phone: the code, the account, the family, orders to confirm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from sandbox.nhsa import enrolment, mobile_paying, states
from sandbox.nhsa.credentials import insurance_code_show, pay_auth_give
from sandbox.nhsa.faces import face_present
from sandbox.nhsa.family import link_refusals
from sandbox.nhsa.models import Entitlement, FamilyLink, MobileOrder, Person, Settlement, ShownCode
from sandbox.nhsa.people import today
from sandbox.nhsa.refusal import Refused
from sandbox.phone.codes import qr_svg
from sandbox.phone.selectors import seconds_left
from sandbox.world import clock

FEW_SECONDS = 8
RELATIONS = (("child", "子女"), ("spouse", "配偶"), ("parent", "父母"))
SCHEMES = {"310": "职工基本医疗保险", "390": "城乡居民基本医疗保险"}
STATES = {"1": "正常参保", "2": "暂停参保", "4": "终止参保"}
RIGHTS = {
    "chronic": "门诊慢特病",
    "cross_region": "异地就医备案",
    "rescue": "医疗救助",
    "commercial": "商业补充保险",
}
Posted = dict[str, Any]


def home(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    rows = Person.objects.order_by("name", "pk")
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(phone__icontains=query))
    people = [(person, enrolment.balance_text(person)) for person in rows[:100]]
    return render(request, "nhsa/home.html", {"people": people, "query": query})


def phone(request: HttpRequest, psn_no: str) -> HttpResponse:
    person = get_object_or_404(Person, psn_no=psn_no)
    return _page(request, person, told=request.GET.get("told", ""))


def _page(
    request: HttpRequest, person: Person, *, told: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    code = _code(person)
    left = seconds_left(code.expires_at)
    context = {
        "person": person,
        "told": told,
        "problem": problem,
        "qr": qr_svg(code.code, "医保码"),
        "digits": " ".join(code.code[at : at + 4] for at in range(0, len(code.code), 4)),
        "left": left,
        # A page with a form open should not vanish under it: once per code is enough.
        "refresh_s": max(left, 2),
        "coverages": [
            (SCHEMES.get(one.insutype, one.insutype), STATES.get(one.psn_insu_stas, ""), one)
            for one in person.coverages.order_by("insutype")
        ],
        "orders": MobileOrder.objects.filter(
            person=person, ord_stas__in=(states.PRICED, states.INSURANCE_DONE)
        ).order_by("-pk"),
        "pays_for": _family(FamilyLink.objects.filter(payer=person, ended_at=None)),
        "paid_by": _family(FamilyLink.objects.filter(member=person, ended_at=None)),
        "others": Person.objects.exclude(pk=person.pk).order_by("name")[:100],
        "relations": RELATIONS,
        "rights": [
            (RIGHTS[one.kind], one)
            for one in Entitlement.objects.filter(person=person, revoked_at=None).order_by("pk")
        ],
        "history": Settlement.objects.filter(visit__person=person)
        .select_related("institution")
        .order_by("-pk")[:30],
    }
    return render(request, "nhsa/phone.html", context, status=status)


def _code(person: Person) -> ShownCode:
    """The code stays for its minute; a page that is refreshed does not burn a new one."""
    rows = ShownCode.objects.filter(person=person, decoded_at=None)
    row = rows.order_by("-expires_at").first()
    if row is not None and seconds_left(row.expires_at) >= FEW_SECONDS:
        return row
    return insurance_code_show(person)


def _family(rows: Any) -> list[tuple[str, FamilyLink, str]]:
    words = dict(RELATIONS)
    return [
        (words[one.relation], one, "，".join(link_refusals(one, clock.now().date())))
        for one in rows.select_related("payer", "member").order_by("pk")
    ]


def act(request: HttpRequest, psn_no: str, verb: str) -> HttpResponse:
    """A press on the phone; what the platform refuses is said in its words on the same page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    person = get_object_or_404(Person, psn_no=psn_no)
    run = VERBS.get(verb)
    if run is None:
        return HttpResponse(status=404)
    try:
        told = run(person, request.POST.dict())
    except Refused as error:
        return _page(request, person, problem=error.message, status=409)
    answer = reverse("nhsa_phone", args=[psn_no])
    return HttpResponseRedirect(f"{answer}?{urlencode({'told': told})}" if told else answer)


def _link(person: Person, posted: Posted) -> str:
    args = {"member": posted.get("member", ""), "relation": posted.get("relation", "")}
    reasons = link_refusals(enrolment.family_link(person, args), today())
    return f"已绑定，但还不能付款：{'，'.join(reasons)}" if reasons else "已绑定家人"


def _unlink(person: Person, posted: Posted) -> str:
    enrolment.family_unlink(person, enrolment.person_by(posted.get("member", "")))
    return "已解除绑定"


def _confirm(person: Person, posted: Posted) -> str:
    number = posted.get("order", "")
    if not MobileOrder.objects.filter(person=person, pay_ord_id=number).exists():
        raise Refused("没有这个订单")
    mobile_paying.order_confirm(number)
    return "已确认支付"


def _authorise(person: Person, _posted: Posted) -> str:
    return f"授权码 {pay_auth_give(person).pay_auth_no}"


def _face(person: Person, _posted: Posted) -> str:
    face_present("", person.psn_no)
    return "已站到刷脸终端前"


VERBS: dict[str, Callable[[Person, Posted], str]] = {
    "link": _link,
    "unlink": _unlink,
    "confirm": _confirm,
    "authorise": _authorise,
    "face": _face,
}
