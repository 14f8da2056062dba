"""The platform's addresses, each as the real one spells it, and the pages of its wallet."""

from django.urls import path

from sandbox.nhsa import authorise, ec, fsi, mobile, pages

urlpatterns = [
    path("gd/<str:infno>", fsi.signed_gateway),
    path("rio_fsi/fsi/api/<str:service>/<str:method>", fsi.path_gateway),
    path("ec", ec.ec_gateway),
    path("mobile/org/local/api/hos/<str:name>", mobile.mobile_gateway),
    path("authorise", authorise.authorise, name="nhsa_authorise"),
    path("phone/", pages.home, name="nhsa_home"),
    path("phone/<str:psn_no>", pages.phone, name="nhsa_phone"),
    path("phone/<str:psn_no>/act/<str:verb>", pages.act, name="nhsa_act"),
]
