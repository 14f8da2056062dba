"""Where the portal pushes its events, and the console."""

from django.urls import path, re_path

from sandbox.his import console, receiver

urlpatterns = [
    path("", console.home, name="his_home"),
    path("events", receiver.events),
    path("visits", console.visit_new, name="his_visit_new"),
    path("visits/<str:encounter_no>", console.visit_page, name="his_visit"),
    re_path(
        r"^visits/(?P<encounter_no>[0-9A-Za-z]+)/"
        r"(?P<verb>send|issue|resend|collect|refresh|cancel|return)$",
        console.visit_act,
        name="his_act",
    ),
]
