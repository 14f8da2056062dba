"""The vendor's own paths."""

from django.urls import URLPattern, URLResolver, path

from sandbox.wechat_pay import med_ins, views_v2, views_v3

_ORDER = "v3/pay/transactions/out-trade-no/<str:out_trade_no>"
urlpatterns: list[URLPattern | URLResolver] = [
    *[path(f"v3/pay/transactions/{p}", views_v3.prepay(p)) for p in ("native", "jsapi", "h5")],
    path("v3/pay/transactions/codepay", views_v3.codepay),
    path("v3/pay/transactions/id/<str:transaction_id>", views_v3.query),
    path(_ORDER, views_v3.query),
    path(f"{_ORDER}/close", views_v3.close),
    path(f"{_ORDER}/reverse", views_v3.reverse),
    path("v3/refund/domestic/refunds", views_v3.refund),
    path("v3/refund/domestic/refunds/<str:out_refund_no>", views_v3.refund_query),
    path("v3/med-ins/orders", med_ins.create),
    path("v3/med-ins/orders/out-trade-no/<str:out_trade_no>", med_ins.query),
    path("v3/med-ins/orders/mix-trade-no/<str:mix_trade_no>", med_ins.query),
    path("v3/med-ins/refunds/notify", med_ins.refund_told),
    path("v3/certificates", views_v3.certificates),
    *views_v2.urlpatterns,
]
