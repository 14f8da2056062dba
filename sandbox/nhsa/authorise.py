"""The wallet's page where an insured person allows a visit at an institution (**ours**)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from sandbox.nhsa.credentials import face_scan, pay_auth_give
from sandbox.nhsa.models import FamilyLink, Institution, Person
from sandbox.nhsa.refusal import Refused

ASKED = ("orgId", "outBizNo", "back", "businessType")
NUMBER_MAX = 64
PAY = "04107"  # 医保移动支付


def authorise(request: HttpRequest) -> HttpResponse:
    """Who holds the phone picks a person and allows or refuses; `back` hears which."""
    asked = {name: request.GET.get(name, "") for name in ASKED}
    place = Institution.objects.filter(code=asked["orgId"]).first()
    web = urlsplit(asked["back"]).scheme in ("http", "https")
    if place is None or not web or not 0 < len(asked["outBizNo"]) <= NUMBER_MAX:
        return _plain("机构、业务流水号或返回地址不对", 400)
    if request.method != "POST":
        people = Person.objects.order_by("name", "pk")[:100]
        kin = kin_shown(list(people)) if asked["businessType"] == PAY else []
        shown = {"people": people, "place": place, "kin": kin}
        return render(request, "nhsa/authorise.html", shown)
    if request.POST.get("answer") == "refuse":
        return _back(asked, {})
    person = get_object_or_404(Person, psn_no=request.POST.get("person", ""))
    try:
        if asked["businessType"] == PAY:
            return _back(asked, _pay_allowed(person, request.POST.get("payer", "")))
        scan = face_scan(person, place.code, asked["outBizNo"])
        return _back(asked, {"authNo": scan.auth_no})
    except Refused as refused:
        return _plain(refused.message, 409)


def kin_shown(people: list[Person]) -> list[tuple[Person, Person]]:
    """Who may allow it in whose stead, guardians before other relatives."""
    shown = {one.pk for one in people}
    kin = [(one.enrolled_by, one) for one in people if one.enrolled_by is not None]
    links = FamilyLink.objects.filter(member__in=shown, ended_at=None).select_related(
        "payer", "member"
    )
    kin += [(link.payer, link.member) for link in links]
    return list(dict.fromkeys(kin))


def _pay_allowed(person: Person, payer_no: str) -> dict[str, str]:
    """The number for the centre, and whether a relative allowed it (rels_pay_flag)."""
    if not payer_no:
        return {"payAuthNo": pay_auth_give(person).pay_auth_no, "relsPayFlag": "0"}
    payer = get_object_or_404(Person, psn_no=payer_no)
    row = pay_auth_give(person, payer)
    return {"payAuthNo": row.pay_auth_no, "relsPayFlag": "1"}


def _back(asked: dict[str, str], said: dict[str, str]) -> HttpResponse:
    parts = urlsplit(asked["back"])
    given = {"outBizNo": asked["outBizNo"], "authNo": "", **said}
    query = [*parse_qsl(parts.query, keep_blank_values=True), *given.items()]
    return HttpResponseRedirect(urlunsplit(parts._replace(query=urlencode(query))))


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
