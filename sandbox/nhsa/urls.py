"""The platform's addresses, each as the real one spells it."""

from django.urls import path

from sandbox.nhsa import fsi

urlpatterns = [
    path("gd/<str:infno>", fsi.signed_gateway),
    path("rio_fsi/fsi/api/<str:service>/<str:method>", fsi.path_gateway),
]
