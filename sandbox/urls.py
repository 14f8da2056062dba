"""Addresses of the sandbox: each counterparty keeps the paths of the real one."""

from django.urls import include, path

from sandbox import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("", include("sandbox.world.urls")),
    path("", include("sandbox.wechat_pay.urls")),
    path("", include("sandbox.alipay.urls")),
    path("", include("sandbox.messages.urls")),
    path("nhsa/", include("sandbox.nhsa.urls")),
    path("his/", include("sandbox.his.urls")),
    path("phone/", include("sandbox.phone.urls")),
    path("_panel/", include("sandbox.phone.panel_urls")),
]
