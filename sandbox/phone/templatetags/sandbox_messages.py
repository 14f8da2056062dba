"""How a message reads on a phone: the vendor's template places the sender's fields."""

from __future__ import annotations

from django import template

from sandbox.messages.models import Message

register = template.Library()
LABELS = {
    "hospital": "医院",
    "name": "就诊人",
    "amount": "金额",
    "number": "账单尾号",
    "todo": "说明",
}
# What the gateway registered under the template's name; an unknown one shows the bare fields.
SMS_TEXTS = {
    "bill": "{title}：{name}，{amount}，账单尾号 {number}。{todo}",
    "notice": "{title}（{hospital}）：{name}。{todo}",
    "card": "{title} {verify_code}（{hospital}，{name}），10 分钟内有效。{todo}",
    "code": "您的验证码是 {sms_code}，{minutes} 分钟内有效。不要告诉任何人。",
}


@register.filter
def title(message: Message) -> str:
    return str(dict(message.params).get("title") or "服务通知")


@register.filter
def lines(message: Message) -> list[tuple[str, str]]:
    return [(LABELS.get(name, name), value) for name, value in message.params if name != "title"]


@register.filter
def sms_text(message: Message) -> str:
    fields = {str(name): str(value) for name, value in message.params}
    text = SMS_TEXTS.get(message.template, "")
    try:
        shown = text.format_map(fields) if text else ""
    except KeyError:
        shown = ""
    # A field that was sent empty leaves no colon behind.
    shown = shown.replace("：。", "。")
    return shown or "，".join(value for name, value in fields.items() if name != "link")


@register.filter
def link(message: Message) -> str:
    return message.url or str(dict(message.params).get("link") or "")
