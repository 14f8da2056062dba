"""The gateway, and the wallet's pages on the phone."""

from django.urls import path, re_path

from sandbox.alipay import gateway, pages

urlpatterns = [
    path("gateway.do", gateway.gateway),
    path("phone/alipay/", pages.home, name="alipay_home"),
    path("phone/alipay/pay/<str:token>", pages.pay_request, name="alipay_pay"),
    path("phone/alipay/sign/<str:token>", pages.sign_request, name="alipay_sign"),
    path("phone/alipay/of/<str:user_id>", pages.phone, name="alipay_phone"),
    re_path(
        r"^phone/alipay/of/(?P<user_id>[^/]+)/act/(?P<verb>confirm|refuse|open|unsign)$",
        pages.act,
        name="alipay_act",
    ),
]
