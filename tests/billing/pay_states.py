"""Every state of the pay pages with made-up people and sums, dark corners included."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.channels.base import Action
from billing.page_values import (
    ChargeLine,
    Hospital,
    InvoicePage,
    NextStep,
    NoPhone,
    PayState,
    RefundRow,
    SplitShown,
    line_groups,
)

NOW = datetime(2026, 11, 20, 10, 38, 11, tzinfo=ZoneInfo("Asia/Shanghai"))
HOSPITAL = Hospital(
    "云溪市第一医院",
    NoPhone("门诊楼 1 层 3 号窗口，7:30–17:00，可付现金", "0500-8612 0000"),
)
LINES = (
    ChargeLine("09", "阿托伐他汀钙片", 4260, "20mg × 28 片，1 盒，甲类"),
    ChargeLine("09", "苯磺酸氨氯地平片", 3680, "5mg × 28 片，2 盒，甲类"),
    ChargeLine("03", "常规十二导心电图检查", 2800, "1 次，甲类"),
    ChargeLine("03", "颈动脉彩色多普勒超声检查", 12000, "1 次，乙类"),
    ChargeLine("04", "血脂四项", 3520, "1 次，甲类"),
    ChargeLine("04", "葡萄糖测定", 2000, "1 次，甲类"),
    ChargeLine("02", "主任医师诊察费", 3000, "1 次"),
)
SPLIT = SplitShown(16840, 4000, 1280, 500, 8640)
TO_PAY = InvoicePage(
    hospital=HOSPITAL,
    title="陈*兰，11月20日 上午，心血管内科门诊",
    invoice_no="YX2611200418",
    state=PayState.TO_PAY,
    amount_fen=31260,
    cash_fen=8640,
    split=SPLIT,
    groups=line_groups(LINES),
    valid_until=NOW + timedelta(minutes=8),
)
TAKEN = {"channel": "微信", "started_at": NOW - timedelta(seconds=5)}
QR = Action("qr", "weixin://wxpay/bizpayurl?pr=7hQ2mBKzz", NOW + timedelta(minutes=5))
URL = Action(
    "url",
    "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20&package=1",
    NOW + timedelta(minutes=5),
)
WALLET = Action("wallet", '{"appId": "wx1", "package": "prepay_id=wx20"}', URL.expires_at)
PAID = replace(
    TO_PAY,
    state=PayState.PAID,
    occurred_at=NOW,
    receipt_no="YX2611200418",
    told="本人、女儿",
    next_step=NextStep("请去 1 层西药房 2 号窗口取药", "处方 2 种药，凭就诊码领取"),
    **TAKEN,
)
LONG_NAME = "注射用重组人组织型纤溶酶原激酶衍生物冻干粉针剂（进口分装）"
MANY_LINES = tuple(
    ChargeLine(f"{1 + n % 14:02}", f"{LONG_NAME}{n}" if n % 3 else "纱布", 100 + n, "1 支，丙类")
    for n in range(60)
)
MANY_FEN = sum(line.amount_fen for line in MANY_LINES)
HUGE_FEN = 123456789

STATES = {
    "to_pay": TO_PAY,
    "preparing": replace(TO_PAY, state=PayState.PREPARING, cash_fen=31260, split=None),
    "self_pay": replace(TO_PAY, cash_fen=31260, split=None, valid_until=None),
    "self_paid": replace(PAID, cash_fen=31260, split=None),
    "self_waiting": replace(
        TO_PAY, state=PayState.WAITING, cash_fen=31260, split=None, action=URL, **TAKEN
    ),
    "self_in_progress": replace(
        TO_PAY, state=PayState.IN_PROGRESS, cash_fen=31260, split=None, **TAKEN
    ),
    "part_missing": replace(TO_PAY, split=SplitShown(22620, 0, 0, 0, 8640)),
    "part_paid": replace(TO_PAY, paid_fen=2000),
    "zero_own_part": replace(TO_PAY, cash_fen=0, split=SplitShown(31260, 0, 0, 0, 0)),
    "huge": replace(
        TO_PAY,
        amount_fen=HUGE_FEN * 2,
        cash_fen=HUGE_FEN,
        split=SplitShown(HUGE_FEN - 1, 1, 0, 0, HUGE_FEN),
        groups=line_groups([ChargeLine("06", LONG_NAME, HUGE_FEN * 2, "1 次")]),
    ),
    "many_lines": replace(
        TO_PAY,
        amount_fen=MANY_FEN,
        cash_fen=MANY_FEN,
        split=None,
        groups=line_groups(MANY_LINES),
    ),
    "waiting_qr": replace(TO_PAY, state=PayState.WAITING, action=QR, **TAKEN),
    "waiting_url": replace(TO_PAY, state=PayState.WAITING, action=URL, **TAKEN),
    "waiting_wallet": replace(TO_PAY, state=PayState.WAITING, action=WALLET, **TAKEN),
    "waiting_alipay": replace(
        TO_PAY, state=PayState.WAITING, action=URL, **(TAKEN | {"channel": "支付宝"})
    ),
    "waiting_over": replace(
        TO_PAY, state=PayState.WAITING, action=replace(QR, expires_at=NOW), **TAKEN
    ),
    "in_progress": replace(TO_PAY, state=PayState.IN_PROGRESS, **TAKEN),
    "in_progress_long": replace(
        TO_PAY,
        state=PayState.IN_PROGRESS,
        channel="微信支付",
        started_at=NOW - timedelta(hours=3),
        answer_by=datetime(2026, 11, 21, 9, 0, tzinfo=NOW.tzinfo),
    ),
    "paid": PAID,
    "paid_nothing": replace(
        PAID, cash_fen=0, split=SplitShown(31260, 0, 0, 0, 0), channel="", next_step=None
    ),
    "part_refunded": replace(
        PAID,
        next_step=None,
        settled_badge="part_refunded",
        taken_fen=8640,
        back_fen=1200,
        refunds=(
            RefundRow("颈动脉彩色多普勒超声检查", 1200, "done", NOW),
            RefundRow("血脂四项", 620, "now", None, "1–3 个工作日原路退回"),
        ),
    ),
    "not_paid": replace(TO_PAY, state=PayState.NOT_PAID, reason="微信支付未完成，已取消"),
    "closed": replace(TO_PAY, state=PayState.CLOSED),
}
