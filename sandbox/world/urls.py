"""The control calls and `/healthz`."""

from django.urls import path

from sandbox.world import views

urlpatterns = [
    path("healthz", views.healthz),
    path("_control/books", views.books),
    path("_control/transactions", views.transactions),
    path("_control/faults", views.fault_list),
    path("_control/faults/<str:fault_id>", views.fault_one),
    path("_control/act", views.act),
    path("_control/actions", views.actions),
    path("_control/clock", views.clock_view),
    path("_control/reset", views.reset),
]
