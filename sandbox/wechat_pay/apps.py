from django.apps import AppConfig


class WechatPayConfig(AppConfig):
    name = "sandbox.wechat_pay"
    label = "wechat_pay"
