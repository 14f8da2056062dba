"""The fault panel, under /_panel/."""

from django.urls import path

from sandbox.phone import panel

urlpatterns = [
    path("", panel.panel, name="panel"),
    path("faults", panel.fault_new, name="panel_fault"),
    path("remove", panel.fault_remove, name="panel_remove"),
]
