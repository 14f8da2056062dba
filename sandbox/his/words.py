"""What the portal answered, as a person at the console reads it."""

from __future__ import annotations

import re
from typing import Any

from sandbox.his.reasons import REASONS

NO_WORD = "其他原因"
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
RESULTS = {
    "paid": "已支付",
    "processing": "处理中，请勿重复收费",
    "action_required": "等病人操作",
    "declined": "未支付，没有扣款",
}
INVOICE_STATES = {
    "DRAFT": "草稿",
    "PRICING": "计价中",
    "ISSUED": "待支付",
    "COLLECTING": "收费中",
    "PROCESSING": "处理中",
    "PAID": "已支付",
    "RESETTLING": "重新结算中",
    "PARTLY_REFUNDED": "部分退费",
    "REFUNDED": "已退",
    "CANCELLED": "已作废",
    "REVIEW": "待人工核对",
}
STATE_KINDS = {
    "PAID": "ok",
    "REFUNDED": "info",
    "PARTLY_REFUNDED": "info",
    "RESETTLING": "info",
    "CANCELLED": "none",
    "DRAFT": "none",
    "REVIEW": "bad",
}
RETURNABLE = frozenset({"PAID", "PARTLY_REFUNDED"})
SPLIT = {
    "fund_fen": "医保统筹",
    "own_account_fen": "医保个人账户",
    "mutual_aid_fen": "家庭共济",
    "hospital_part_fen": "医院负担",
    "cash_fen": "自费",
}
CHANNELS = {"wechat_pay": "微信支付", "alipay": "支付宝", "cash": "现金", "credit": "医后付"}
EVENTS = {
    "priced": "已计价",
    "action_required": "等病人操作",
    "paid": "已支付",
    "declined": "未支付",
    "cancelled": "已作废",
    "refund_accepted": "退费已受理",
    "refunded": "已退",
    "refund_failed": "退费未成",
    "review": "待人工核对",
}
PAYMENT_STATES = {
    "SUCCEEDED": "已支付",
    "PENDING": "处理中",
    "UNKNOWN": "处理中",
    "DECLINED": "未支付",
    "CLOSED": "已关闭",
}
FACTS = {
    "amount_fen": "金额",
    "cash_fen": "自付",
    "invoice_amount_fen": "账单金额",
    "channel": "方式",
    "payment_no": "支付号",
    "refund_no": "退费号",
    "reason": "原因",
}
CATEGORIES = {
    "02": "诊察费",
    "03": "检查费",
    "04": "化验费",
    "05": "治疗费",
    "09": "西药费",
    "11": "中成药费",
    "13": "挂号费",
}
RETURNS = {
    "accepted": "已受理",
    "review": "待复核",
    "done": "已退",
    "failed": "未退",
}


def yuan(fen: int) -> str:
    """¥1,086.40, with a true minus sign."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}¥{whole:,}.{cents:02d}"


def collect_words(body: dict[str, Any]) -> str:
    result = str(body.get("result", ""))
    text = RESULTS.get(result, result or "门户没有说结果")
    invoice = body.get("invoice")
    if result == "paid" and isinstance(invoice, dict):
        text += f" {yuan(int(invoice.get('paid_fen') or 0))}"
    if body.get("reason"):
        text += f"：{reason_text(body['reason'])}"
    return f"{text}。"


def return_words(body: dict[str, Any]) -> str:
    status = str(body.get("status", ""))
    return f"{RETURNS.get(status, status)} {yuan(int(body.get('amount_fen') or 0))}。"


def reason_text(reason: Any) -> str:
    """A code in words; a sentence as it is. A code without a word is shown and begs for one."""
    if isinstance(reason, dict):
        reason = reason.get("message") or reason.get("code") or reason
    text = str(reason)
    if text in REASONS:
        return REASONS[text]
    return f"{NO_WORD}（{text}）" if CODE.fullmatch(text) else text


def fact_words(data: dict[str, Any]) -> str:
    """The flat facts of an event in one line; nested ones stay in the stored event."""
    parts = []
    for key, value in data.items():
        word = FACTS.get(key, key)
        if key.endswith("_fen") and isinstance(value, int):
            parts.append(f"{word} {yuan(value)}")
        elif key == "channel":
            parts.append(f"{word} {CHANNELS.get(str(value), value)}")
        elif key == "reason":
            parts.append(f"{word} {reason_text(value)}")
        elif isinstance(value, str | int) and value != "":
            parts.append(f"{word} {value}")
    return "，".join(parts)
