"""The phone's pages and the style sheet that the sandbox's pages share."""

from django.urls import path, re_path

from sandbox.phone import requests, views

urlpatterns = [
    path("", views.home, name="phone_home"),
    path("style.css", views.style, name="sandbox_style"),
    path("wechat/pay/<str:token>", requests.pay_request, name="phone_pay"),
    path("wechat/bridge", requests.bridge_request, name="phone_bridge"),
    path("wechat/bridge.js", requests.bridge_script),
    path("wechat/sign/<str:token>", requests.sign_request, name="phone_sign"),
    re_path(
        r"^of/(?P<openid>[^/]+)/(?P<name>wallet|scan|messages|agreements|history)$",
        views.tab,
        name="phone_tab",
    ),
    re_path(
        r"^of/(?P<openid>[^/]+)/act/(?P<verb>confirm|refuse|open|unsign)$",
        views.act,
        name="phone_act",
    ),
]
