"""Addresses of the vendors: WeChat's under /wechat, the SMS gateway's under /sms,
Alipay's login under /alipay."""

from django.urls import path

from sandbox.messages import alipay_oauth, inbox, oauth, sms, wechat

urlpatterns = [
    path("wechat/cgi-bin/token", wechat.token),
    path("wechat/cgi-bin/message/template/send", wechat.template_send),
    path("wechat/connect/oauth2/authorize", oauth.authorize),
    path("wechat/sns/oauth2/access_token", oauth.access_token),
    path("sms/send", sms.send),
    path("sms/inbox", inbox.inbox, name="sms_inbox"),
    path("alipay/oauth2/publicAppAuthorize.htm", alipay_oauth.authorize),
    path("alipay/login/gateway.do", alipay_oauth.token),
]
