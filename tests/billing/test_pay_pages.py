"""The pay pages in every state: what is shown, what is never shown, where a press leads."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from billing import pay_right
from billing.channels.base import Mode
from billing.offers import Wallet
from billing.page_values import (
    ChargeLine,
    PayState,
    SplitShown,
    line_groups,
)
from core import clock
from core.errors import BadInput, Conflict, NotFound, Refusal
from core.templatetags.elements import bar_rects
from tests.billing.pay_states import HOSPITAL, NOW, PAID, QR, SPLIT, STATES, TO_PAY, URL

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36"
HTMX = {"HX-Request": "true"}
WALLETS = (Wallet("wechat_pay"), Wallet("alipay"))


@pytest.fixture(autouse=True)
def door(monkeypatch):
    """The services' side of the pages: made-up states, and what was asked of it."""
    asked = []

    def page_of(*, token):
        if token == "over":
            raise Refusal("link_expired", "over")
        if token not in STATES:
            raise NotFound("unknown_link", "unknown")
        return STATES[token]

    def way_choose(**asked_for):
        asked.append(asked_for)
        return URL if asked_for["offer"].mode is Mode.H5 else QR

    monkeypatch.setattr(pay_right, "page_of", page_of)
    monkeypatch.setattr(pay_right, "way_choose", way_choose)
    monkeypatch.setattr(pay_right, "hospital", lambda: HOSPITAL)
    monkeypatch.setattr(pay_right, "wallets_of", lambda *_asked: WALLETS)
    with clock.freeze(NOW), translation.override("zh-hans"):
        yield asked


@pytest.fixture
def phone():
    return Client(headers={"User-Agent": PHONE})


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


def pay_ways(answer):
    """Every control by which this page could start or continue a payment."""
    body = answer.content.decode()
    return re.findall(r'class="button primary"|name="way"|href="[^"]*/(?:pay|code)"', body)


@pytest.mark.parametrize("token", STATES)
@pytest.mark.parametrize("mode", ["standard", "elder-1", "elder-3"])
def test_every_page_of_every_state_answers_in_every_mode(phone, token, mode):
    phone.cookies["mode"] = mode
    for suffix in ("", "/pay", "/code", "/result", "/window"):
        answer = phone.get(f"/p/{token}{suffix}")

        assert answer.status_code in (200, 303), (token, suffix)
        if answer.status_code == 200:
            body = answer.content.decode()
            assert '<html lang="zh-Hans"' in body
            assert ('data-mode="elder"' in body) == (mode != "standard")
            assert "style=" not in body and "onclick" not in body and "data:" not in body
            assert "失败" not in body and "不用手机也能办" in body
            assert "no-store" in answer.headers["Cache-Control"]
            assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_bill_shows_the_own_part_largest_and_the_split_to_the_fen(phone):
    text = text_of(phone.get("/p/to_pay"))

    parts = ("医保统筹 ¥168.40", "医保个人账户 ¥40.00", "家庭共济 ¥12.80", "医院负担 ¥5.00")
    squeezed = text.replace(" ", "")
    for part in (*parts, "总费用 ¥312.60", "自费，您支付 ¥86.40", "去支付 ¥86.40"):
        assert part.replace(" ", "") in squeezed
    assert "YX2611200418" in text and "10:46" in text
    body = phone.get("/p/to_pay").content.decode()
    assert body.count('class="money hero fit-6"') == 1
    assert 'role="img" aria-label="总费用 ¥312.60，医保统筹 ¥168.40，' in body


@pytest.mark.parametrize("token", ["self_pay", "self_waiting", "self_in_progress", "self_paid"])
def test_a_bill_without_insurance_shows_its_split_in_every_state(phone, token):
    text = text_of(phone.get(f"/p/{token}")).replace(" ", "")
    assert "总费用¥312.60自费，您支付¥312.60" in text
    assert text.count("总费用") == 1


def test_missing_parts_are_left_out_of_bar_and_list(phone):
    body = phone.get("/p/part_missing").content.decode()

    assert "家庭共济" not in body and body.count('<rect class="part') == 2


def test_groups_show_drugs_first_then_by_falling_sum():
    groups = line_groups(
        [
            ChargeLine("04", "a", 900),
            ChargeLine("10", "b", 100),
            ChargeLine("03", "c", 5000),
            ChargeLine("09", "d", 50),
        ]
    )

    assert [group.category for group in groups] == ["09", "10", "03", "04"]


def test_unknown_category_is_shown_as_other():
    with translation.override("zh-hans"):
        assert str(line_groups([ChargeLine("99", "a", 1)])[0].label) == "其他费"


def test_standard_opens_the_first_group_elder_none(phone):
    assert phone.get("/p/to_pay").content.decode().count("<details") == 4
    assert phone.get("/p/to_pay").content.decode().count(" open>") == 1

    phone.cookies["mode"] = "elder-1"
    assert " open>" not in phone.get("/p/to_pay").content.decode()


def test_a_split_that_does_not_sum_is_refused():
    with pytest.raises(ValueError, match="do not sum"):
        replace(TO_PAY, split=SplitShown(16840, 4000, 1280, 501, 8640))
    with pytest.raises(ValueError, match="do not sum"):
        replace(TO_PAY, cash_fen=8641)


def test_bar_reaches_its_end_and_hides_no_part():
    rects = bar_rects(list(STATES["huge"].split.parts))

    assert rects[-1].x + rects[-1].width == 1000
    assert all(rect.width >= 10 for rect in rects)
    assert sum(rect.width for rect in rects) + 6 * (len(rects) - 1) == 1000
    assert bar_rects([]) == []
    assert len(bar_rects(list(SPLIT.parts))) == 5


@pytest.mark.parametrize("token", ["paid", "in_progress", "closed", "preparing", "waiting_over"])
def test_a_bill_not_to_be_paid_has_no_pay_control(phone, token):
    for suffix in ("", "/result"):
        answer = phone.get(f"/p/{token}{suffix}")
        assert answer.status_code == 303 or not pay_ways(answer), (token, suffix)


@pytest.mark.parametrize("token", ["paid", "in_progress", "closed", "preparing", "waiting_over"])
def test_back_to_the_pay_page_answers_with_the_result(phone, token):
    assert phone.get(f"/p/{token}/pay").url == f"/p/{token}/result"
    assert phone.get(f"/p/{token}/window").url == f"/p/{token}/result"


def test_no_pay_control_while_an_order_waits_except_the_same_order(phone):
    assert phone.get("/p/waiting_qr/pay").url == "/p/waiting_qr/code"
    assert re.findall(
        r'href="([^"]*/(?:pay|code)[^"]*)"', phone.get("/p/waiting_qr/result").content.decode()
    ) == ["/p/waiting_qr/code", "/p/waiting_qr/pay?other"]
    body = phone.get("/p/waiting_url/code").content.decode()
    assert URL.value.replace("&", "&amp;") in body


@pytest.mark.parametrize("token", ["waiting_url", "waiting_qr", "waiting_wallet"])
def test_who_did_not_pay_an_open_order_finds_the_other_ways_and_the_window(phone, token):
    for page in ("code", "result"):
        body = phone.get(f"/p/{token}/{page}").content.decode()
        assert f'href="/p/{token}/pay?other"' in body, page

    window = phone.get(f"/p/{token}/window")
    assert window.status_code == 200 and f'href="/p/{token}/pay?other"' in window.content.decode()
    assert "¥86.40" in text_of(window) and "先关闭手机上" in text_of(window)
    assert "先关闭手机上" not in text_of(phone.get("/p/to_pay/window"))


def test_an_open_order_can_be_given_up_for_another_way(phone):

    form = phone.get("/p/waiting_url/pay?other")
    assert form.status_code == 200 and "先关闭" in text_of(form)
    assert "先关闭" not in text_of(phone.get("/p/to_pay/pay?other"))


@pytest.mark.parametrize("token", ["paid", "in_progress", "closed", "preparing", "waiting_over"])
def test_nothing_else_is_given_up_for_another_way(phone, token):
    assert phone.get(f"/p/{token}/pay?other").url == f"/p/{token}/result"


def test_the_page_inside_wechat_asks_it_by_its_own_script(phone):
    body = phone.get("/p/waiting_wallet/code").content.decode()

    assert "请在微信里付款" in body and "wechat_pay.js" in body
    assert 'data-request="{&quot;appId&quot;: &quot;wx1&quot;' in body
    assert "wechat_pay.js" not in phone.get("/p/waiting_qr/code").content.decode()


def test_every_page_of_an_open_order_names_its_channel(phone):
    for page in ("code", "result"):
        text = text_of(phone.get(f"/p/waiting_alipay/{page}"))
        assert "支付宝" in text and "微信" not in text


def test_three_results_and_nothing_else(phone):
    words = {"paid": "已支付", "not_paid": "未支付", "in_progress": "处理中"}
    for token, word in words.items():
        text = text_of(phone.get(f"/p/{token}/result"))
        assert word in text
        assert ("没有扣款" in text) == (token == "not_paid")
        assert ("请勿重复支付" in text) == (token == "in_progress")
    assert phone.get("/p/closed/result").url == "/p/closed"


def test_sum_is_large_only_where_it_was_taken(phone):
    assert "hero" in phone.get("/p/paid/result").content.decode()
    assert "hero" not in phone.get("/p/not_paid/result").content.decode()
    assert "hero" not in phone.get("/p/in_progress/result").content.decode()
    assert "hero" not in phone.get("/p/in_progress").content.decode()


def test_running_result_refreshes_with_and_without_script(phone):
    body = phone.get("/p/in_progress/result").content.decode()

    assert 'hx-trigger="every 5s"' in body
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in body
    assert "本页每 5 秒自动更新" in body
    paid = phone.get("/p/paid/result").content.decode()
    assert "hx-get" not in paid and "http-equiv" not in paid


def test_refresh_changes_nothing_until_something_changed(phone):
    running = "/p/in_progress/result?every=5"
    assert phone.get(running, headers=HTMX).status_code == 204

    slower = phone.get("/p/in_progress_long/result?every=5", headers=HTMX)
    assert slower.status_code == 200 and 'hx-trigger="every 15s"' in slower.content.decode()
    assert "<html" not in slower.content.decode()

    done = phone.get("/p/paid/result?every=5", headers=HTMX)
    assert done.headers["HX-Refresh"] == "true"


def test_an_answer_that_stays_away_names_when_we_tell(phone):
    text = text_of(phone.get("/p/in_progress_long/result"))

    assert "还在核对，11月21日 09:00 前会通知您结果，不用再付" in text


def test_code_page_moves_on_by_itself(phone):
    assert phone.get("/p/waiting_qr/code", headers=HTMX).status_code == 204
    moved = phone.get("/p/paid/code", headers=HTMX)
    assert moved.headers["HX-Redirect"] == "/p/paid/result"
    assert phone.get("/p/waiting_over/code").url == "/p/waiting_over/result"


def test_window_is_a_way_and_asks_no_channel(phone, door):
    assert phone.post("/p/to_pay/pay", {"way": "window"}).url == "/p/to_pay/window"
    assert door == []


def test_nothing_due_is_confirmed_without_a_channel(phone, door, monkeypatch):
    pressed = []
    monkeypatch.setattr(pay_right, "confirmed", pressed.append)
    assert "确认结算" in text_of(phone.get("/p/zero_own_part"))
    assert phone.get("/p/zero_own_part/pay").url == "/p/zero_own_part"
    answer = phone.post("/p/zero_own_part/pay", {"way": "confirm", "form_key": "k"})
    assert (answer.url, door) == ("/p/zero_own_part/result", [])
    assert [right.token for right in pressed] == ["zero_own_part"]


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"way": "alipay.h5"},
        {"way": "alipay.h5", "form_key": "k" * 65},
        *(
            {"way": way, "form_key": "k"}
            for way in ("gold", "h5", "alipay", "alipay.scan", "wechat_pay.agreement", "cash.cash")
        ),
        {"way": "wechat_pay.h5 ", "form_key": "k"},
        {"way": "wechat_pay.h5\nx", "form_key": "k"},
        {"way": "Alipay.h5", "form_key": "k"},
        {"way": f"{'a' * 21}.h5", "form_key": "k"},
        {"way": "sign-in-", "form_key": "k"},
    ],
)
def test_a_malformed_choice_starts_nothing(phone, door, posted):
    assert phone.post("/p/to_pay/pay", posted).url == "/p/to_pay/pay"
    assert door == []


def test_a_late_press_ends_at_the_result(phone, monkeypatch):
    def taken(**_):
        raise Conflict("not_payable", "paid already")

    monkeypatch.setattr(pay_right, "way_choose", taken)
    answer = phone.post("/p/paid/pay", {"way": "wechat_pay.h5", "form_key": "k"})
    assert answer.url == "/p/paid/result"


def test_a_refusal_is_said_above_the_title(phone, monkeypatch):
    def refused(**_):
        raise BadInput("channel_closed", "微信暂时不能用。")

    monkeypatch.setattr(pay_right, "way_choose", refused)
    answer = phone.post("/p/to_pay/pay", {"way": "wechat_pay.h5", "form_key": "k"})
    text = text_of(answer).split("长辈版")[1]
    assert answer.status_code == 400
    assert text.index("微信暂时不能用。") < text.index("怎样支付？")


def test_forged_post_is_refused():
    strict = Client(enforce_csrf_checks=True)
    assert (
        strict.post("/p/to_pay/pay", {"way": "wechat_pay.h5", "form_key": "k"}).status_code == 403
    )


@pytest.mark.parametrize(("token", "status"), [("nowhere", 404), ("over", 410)])
def test_a_link_that_leads_nowhere_names_the_window(phone, token, status):
    for suffix in ("", "/pay", "/code", "/result", "/window"):
        answer = phone.get(f"/p/{token}{suffix}")
        text = text_of(answer)
        assert answer.status_code == status
        assert "3 号窗口" in text and "没有扣款" not in text
        assert not pay_ways(answer)


def test_window_promises_only_what_it_offers(phone):
    insured, own = (text_of(phone.get(f"/p/{bill}/window")) for bill in ("to_pay", "self_pay"))
    assert "医保照样报销" in insured and "医保照样报销" not in own
    for text in (insured, own, text_of(phone.get("/p/to_pay/pay"))):
        assert "现金或付款码" in text and "银行卡" not in text


def test_mode_is_kept_in_a_cookie_and_leads_back(phone):
    answer = phone.post("/mode", {"mode": "elder-2", "next": "/p/to_pay"})

    assert answer.url == "/p/to_pay" and phone.cookies["mode"].value == "elder-2"
    assert 'data-mode="elder" data-size="2"' in phone.get("/p/to_pay").content.decode()


def test_mode_refuses_what_it_does_not_know(phone):
    assert phone.post("/mode", {"mode": "huge"}).status_code == 400
    assert phone.get("/mode").status_code == 405
    away = phone.post("/mode", {"mode": "standard", "next": "https://evil.example/"})
    assert away.url == "/"


@pytest.mark.parametrize("page", ["", "/result"])
def test_a_part_refunded_bill_says_paid_returned_and_what_stays(phone, page):
    text = text_of(phone.get(f"/p/part_refunded{page}")).replace(" ", "")
    assert "部分退费" in text
    assert "已支付¥86.40" in text and "已退+¥12.00" in text and "退款中+¥6.20" in text
    assert text.count("实际支付¥74.40") == 2


def test_refunds_show_what_came_back_and_what_is_under_way(phone):
    text = text_of(phone.get("/p/part_refunded/result")).replace(" ", "")

    assert "+¥12.00" in text and "+¥6.20" in text and "1–3个工作日" in text


def test_result_never_names_the_items(phone):
    assert "阿托伐他汀" not in text_of(phone.get("/p/paid/result"))
    assert PAID.state is PayState.PAID and PAID.refresh_s(NOW + timedelta(hours=1)) == 15
