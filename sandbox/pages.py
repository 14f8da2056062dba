"""The sandbox's first page: where its people and machines are."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PAGES = (
    ("/his/", "HIS 工作台", "开就诊、发账单、收款、退费"),
    ("/phone/", "付款人的手机", "钱包、扫码、消息、协议"),
    ("/phone/alipay/", "付款人的支付宝", "付款码、确认、签约、收支"),
    ("/nhsa/phone/", "参保人的医保钱包", "医保码、个人账户、家庭共济、移动支付"),
    ("/sms/inbox", "短信", "任何手机号收到的验证码和通知"),
    ("/_panel/", "故障台", "让对方出错，看各方账本"),
)


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/home.html", {"pages": PAGES})
