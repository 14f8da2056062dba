"""The wallet's page where an insured person allows a visit at an institution (**ours**)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from sandbox.nhsa.credentials import face_scan
from sandbox.nhsa.models import Institution, Person
from sandbox.nhsa.refusal import Refused

NUMBER_MAX = 64


def authorise(request: HttpRequest) -> HttpResponse:
    """Who holds the phone picks a person and allows or refuses; `back` hears which."""
    asked = {name: request.GET.get(name, "") for name in ("orgId", "outBizNo", "back")}
    place = Institution.objects.filter(code=asked["orgId"]).first()
    web = urlsplit(asked["back"]).scheme in ("http", "https")
    if place is None or not web or not 0 < len(asked["outBizNo"]) <= NUMBER_MAX:
        return _plain("机构、业务流水号或返回地址不对", 400)
    if request.method != "POST":
        people = Person.objects.order_by("name", "pk")[:100]
        return render(request, "nhsa/authorise.html", {"people": people, "place": place})
    if request.POST.get("answer") == "refuse":
        return _back(asked, "")
    person = get_object_or_404(Person, psn_no=request.POST.get("person", ""))
    try:
        return _back(asked, face_scan(person, place.code, asked["outBizNo"]).auth_no)
    except Refused as refused:
        return _plain(refused.message, 409)


def _back(asked: dict[str, str], auth_no: str) -> HttpResponse:
    parts = urlsplit(asked["back"])
    given = {"outBizNo": asked["outBizNo"], "authNo": auth_no}
    query = [*parse_qsl(parts.query, keep_blank_values=True), *given.items()]
    return HttpResponseRedirect(urlunsplit(parts._replace(query=urlencode(query))))


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
