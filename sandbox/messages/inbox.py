"""Text messages of any number: a phone needs no wallet to get one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sandbox.messages.models import Message
from sandbox.messages.selectors import messages_for
from sandbox.messages.sms import PHONE


def inbox(request: HttpRequest) -> HttpResponse:
    """One number's messages; without a number, the newest of all."""
    phone = request.GET.get("phone", "").strip()
    if PHONE.fullmatch(phone):
        found = messages_for(openid="", phone=phone)
    else:
        found = list(Message.objects.filter(kind=Message.Kind.SMS).order_by("-id")[:20])
    return render(request, "messages/inbox.html", {"phone": phone, "found": found})
