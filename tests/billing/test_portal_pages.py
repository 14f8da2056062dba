"""The signed-in patient's pages: what each shows, to whom, and in how many statements."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.channels.base import ChannelAnswer, Mode
from billing.models import Invoice, InvoiceStatus, Payment, PaymentTransaction
from core import clock
from core.outcomes import Outcome
from patients.models import Notification
from tests.billing.portal_house import bill, family, ordered, paid, signed_in, text_of
from tests.factories import patients as people
from tests.factories import payments

pytestmark = pytest.mark.django_db
STATEMENTS_MAX = 12
PAGES = ["", "/pay", "/code", "/result", "/window", "/receipt", "/rating"]


def statements(client, address):
    """The page, and how many statements it took."""
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address)
    return answer, len(seen)


def test_home_shows_one_bill_to_pay_and_counts_the_others():
    # Given two open bills of her own and one of her mother
    user, own, mother = family()
    first = bill(own, 8640)
    bill(own, 1000), bill(mother, 2000)

    # When she opens the portal
    text = text_of(signed_in(user).get("/"))

    # Then one sum is large, and the tile counts all three
    assert "秀兰，上午好" in text and "王秀兰" not in text
    assert "您需支付¥86.40" in text and "3笔账单" in text
    assert f'href="/bills/{first.pk}"' in signed_in(user).get("/").content.decode()


def test_home_without_a_person_leads_to_the_family():
    people.campus()
    answer = signed_in(payments.user()).get("/")

    assert answer.status_code == 200 and 'href="/family/add"' in answer.content.decode()


def test_home_is_for_patients_and_admin_for_staff():
    staff = payments.user()
    staff.is_staff = True
    staff.save()
    client = Client()
    assert client.get("/").url == "/accounts/login"

    client.force_login(staff)
    assert client.get("/").url == "/admin/"


@pytest.mark.parametrize("suffix", PAGES)
@pytest.mark.parametrize("who", ["stranger", "ended", "nobody"])
def test_somebody_elses_bill_is_no_page(suffix, who):
    # Given a paid and an open bill of a person this user is not (any more) bound to
    people.campus()
    patient, user = people.patient(), payments.user()
    if who == "ended":
        access = payments.access(patient, user)
        access.ended_at, access.ended_how = clock.now(), "user"
        access.may_view = access.may_pay = False
        access.save()
    one, settled = bill(patient), bill(patient)
    paid(settled)
    client = signed_in(user)

    # Then neither, nor a number nobody gave, tells them apart
    pks = [10**17] if who == "nobody" else [one.pk, settled.pk]
    for pk in pks:
        assert client.get(f"/bills/{pk}{suffix}").status_code == 404
        if suffix in ("/pay", "/rating"):
            for way in ("wechat_pay.h5", "window", "confirm", "nonsense", ""):
                sent = {"way": way, "form_key": "k", "grade": "5"}
                assert client.post(f"/bills/{pk}{suffix}", sent).status_code == 404
    assert Payment.objects.count() == (0 if who == "nobody" else 1) or who == "nobody"


def test_a_stranger_is_led_to_the_sign_in_and_back():
    answer = Client().get("/bills/1/result")
    assert answer.status_code == 302 and answer.url == "/accounts/login?next=%2Fbills%2F1%2Fresult"


def test_who_may_only_pay_reads_hospital_masked_name_amount_and_number():
    # Given a bill of the mother
    user, _own, mother = family()
    one = bill(mother, 8640, item_name="阿托伐他汀钙片", category="09")
    client = signed_in(user)

    # When the daughter reads it, pays it and reads the result
    pages = [client.get(f"/bills/{one.pk}{page}") for page in ("", "/pay", "/window")]
    paid(one, payer_id=user.pk)
    pages += [client.get(f"/bills/{one.pk}/result"), client.get("/"), client.get("/bills")]

    # Then no page names item, department, day or the whole name
    for answer in pages:
        text = text_of(answer)
        assert answer.status_code == 200
        for hidden in ("李桂英", "阿托伐他汀", "内科", "11月20日门诊", "取药"):
            assert hidden not in text, (answer.request["PATH_INFO"], hidden)
    assert "李*英" in text_of(pages[0]) and "去支付¥86.40" in text_of(pages[0])
    assert one.invoice_no in text_of(pages[0])


def test_who_may_only_pay_does_not_see_old_bills_that_others_paid(still_clock):
    user, _own, mother = family()
    one = bill(mother)
    paid(one)
    client = signed_in(user)
    assert client.get(f"/bills/{one.pk}/result").status_code == 200

    still_clock.advance(timedelta(days=2))
    assert client.get(f"/bills/{one.pk}").status_code == 404
    assert "没有" in text_of(client.get("/bills"))


def test_who_may_only_look_has_no_way_to_pay():
    # Given a bill of a father whose bills the user sees but may not pay
    user = payments.user()
    father = people.patient()
    payments.access(father, user, "parent", may_view=True, may_pay=False)
    one = bill(father, 8640, item_name="血脂四项", category="04")
    client = signed_in(user)

    page = client.get(f"/bills/{one.pk}")
    assert "血脂四项" in text_of(page) and "去支付" not in text_of(page)
    assert client.get(f"/bills/{one.pk}/pay").status_code == 303
    posted = client.post(f"/bills/{one.pk}/pay", {"way": "wechat_pay.h5", "form_key": "k"})
    assert posted.status_code == 404 and not Payment.objects.exists()
    assert "待支付" in text_of(client.get("/bills?state=to_pay"))
    assert "0笔账单" in text_of(client.get("/"))


def test_ways_stand_in_the_patients_own_order_with_what_is_left(monkeypatch):
    # Given an own agreement of WeChat with a limit of its own, and the daughter's
    user, own, _mother = family()
    payments.agreement(own, user, own_single_fen=50_000)
    daughter = payments.user()
    payments.access(own, daughter, "parent")
    payments.agreement(own, daughter, own_single_fen=5_000)
    one = bill(own, 8640)

    text = text_of(signed_in(user).get(f"/bills/{one.pk}/pay"))

    # Then own first, the daughter's too small and greyed, then the password, last the window
    order = ["微信免密", "这次最多可付¥500.00", "子女代付", "不够付这笔", "微信支付", "到窗口付"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "用微信免密支付¥86.40" in text


def test_a_picked_agreement_is_taken_once_and_another_users_never(monkeypatch):
    # Given an agreement that a stranger holds for somebody else
    user, own, mother = family()
    mine = payments.agreement(own, user)
    foreign = payments.agreement(people.patient())
    taken = []

    def send(*, row, **_):

        taken.append(row.payment.agreement_id)
        return ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200", occurred_at=clock.now())

    monkeypatch.setattr("billing.services.collecting.pay_choices.capture_send", send)
    one, other = bill(own, 8640), bill(mother, 500)
    client = signed_in(user)

    # When she picks each, hers twice with the same form
    for pk, agreement in ((one.pk, foreign.pk), (other.pk, mine.pk), (one.pk, mine.pk)):
        for _ in range(2):
            sent = {"way": f"agreement-{agreement}", "form_key": f"k{pk}-{agreement}"}
            client.post(f"/bills/{pk}/pay", sent)

    # Then only her own bill was paid, once, by her own agreement
    assert taken == [mine.pk]
    assert Invoice.objects.get(pk=one.pk).status == InvoiceStatus.PAID
    assert Invoice.objects.get(pk=other.pk).status == InvoiceStatus.ISSUED
    assert "微信免密" in text_of(client.get(f"/bills/{one.pk}/result"))


def test_paid_result_says_where_to_go_and_who_was_told():
    # Given her bill with drugs, paid, and the messages sent
    user, own, _mother = family()
    one = bill(own, 8640, item_name="阿托伐他汀钙片", category="09")
    row = paid(one, payer_id=user.pk)
    assert "正在通知您" in text_of(signed_in(user).get(f"/bills/{one.pk}/result"))

    Notification.objects.filter(key=f"deducted/{row.number}").update(status="SENT")

    text = text_of(signed_in(user).get(f"/bills/{one.pk}/result"))

    assert "已支付" in text and "请去取药" in text and "共1种药" in text
    assert "已通知您" in text and row.payment.payment_no in text


def test_a_cancelled_payer_finds_the_way_back_into_the_same_order():
    # Given an order opened in WeChat and left
    user, own, _mother = family()
    one = bill(own)
    row = ordered(one, payer_id=user.pk)
    until = (clock.now() + timedelta(minutes=5)).isoformat()
    PaymentTransaction.objects.filter(pk=row.pk).update(
        status="PENDING",
        action={"type": "url", "value": "https://wx.tenpay.com/x?prepay=1", "expires_at": until},
    )
    client = signed_in(user)

    # Then the result offers that order and no other, until it is over
    answer = client.get(f"/bills/{one.pk}/result")
    assert "处理中" in text_of(answer) and "回到微信继续支付" in text_of(answer)
    assert "https://wx.tenpay.com/x?prepay=1" in answer.content.decode()
    assert "短信" not in text_of(answer) and 'class="button primary"' not in answer.content.decode()
    assert client.get(f"/bills/{one.pk}/pay").url == f"/bills/{one.pk}/code"

    # And nobody else may go on with it: its payer is the one who is told
    sister = payments.user()
    payments.access(own, sister, "other")
    others = text_of(signed_in(sister).get(f"/bills/{one.pk}/result"))
    assert "回到微信" not in others and "请勿重复支付" in others

    PaymentTransaction.objects.filter(pk=row.pk).update(closing=True)
    after = text_of(client.get(f"/bills/{one.pk}/result"))
    assert "回到微信" not in after and "请勿重复支付" in after
    assert Payment.objects.count() == 1


def test_history_filters_and_older_rows_by_key():
    # Given 25 bills of hers in October and one of her mother's
    user, own, mother = family()
    many = [bill(own, 100 + n) for n in range(25)]
    last = Invoice.objects.filter(pk__in=[one.pk for one in many])
    last.update(occurred_at=clock.now() - timedelta(days=35))
    bill(mother, 7700)
    client = signed_in(user)

    # Then a page has twenty, the older ones follow, each filter keeps its own
    first = client.get("/bills")
    assert first.content.decode().count('class="cell"') == 20
    older = client.get(f"/bills?before={many[6].pk}")
    assert "更早" in text_of(first) and older.content.decode().count('class="cell"') == 6
    assert client.get(f"/bills?person={mother.pk}").content.decode().count('class="cell"') == 1
    assert client.get("/bills?month=2026-10").content.decode().count('class="cell"') == 20
    assert client.get("/bills?month=2026-11").content.decode().count('class="cell"') == 1
    assert "没有符合的" in text_of(client.get("/bills?state=refunded"))


@pytest.mark.parametrize(
    "query",
    [
        "person=abc",
        "month=2026-13",
        "month=²026-01",
        "state=x",
        "before=-1",
        "before=" + "9" * 40,
        "person=999999",
        "ask=x",
    ],
)
def test_history_leaves_out_what_an_address_cannot_mean(query):
    user, own, _mother = family()
    bill(own)
    answer = signed_in(user).get(f"/bills?{query}")
    assert answer.status_code == 200


def test_elder_mode_asks_one_filter_a_page():
    user, own, _mother = family()
    bill(own)
    client = signed_in(user)
    client.cookies["mode"] = "elder-1"
    assert "<select" not in client.get("/bills").content.decode()
    asked = text_of(client.get("/bills?ask=month"))
    assert "哪个月" in asked and "2026年10月" in asked


def test_help_is_open_to_everybody_and_names_the_window():
    people.campus(window_text="1 层 3 号窗口", phone="0500-8612 0000")
    text = text_of(Client().get("/help"))
    assert "1层3号窗口" in text and "0500-86120000" in text and "现金" in text


@pytest.mark.parametrize("count", [1, 15])
def test_every_page_takes_few_statements_however_many_bills(count):
    # Given a family with one or many bills in every state
    user, own, mother = family()
    payments.agreement(own, user)
    for _ in range(count):
        bill(own, *range(100, 110))
        bill(mother, 500)
        paid(bill(own))
        ordered(bill(own), Mode.H5)
    to_pay = Invoice.objects.filter(status="ISSUED", patient=own).first()
    settled = Invoice.objects.filter(status="PAID").first()
    running = Invoice.objects.filter(status="COLLECTING").first()
    client = signed_in(user)

    # Then every page stays within the limit
    pages = ["/", "/bills", "/messages", "/help", "/settings"]
    pages += [f"/bills/{to_pay.pk}{page}" for page in ("", "/pay", "/window")]
    pages += [f"/bills/{settled.pk}{page}" for page in ("", "/result", "/receipt", "/rating")]
    pages += [f"/bills/{running.pk}/result"]
    taken = {}
    for page in pages:
        answer, taken[page] = statements(client, page)
        assert answer.status_code == 200, page
    print(count, sorted(taken.values()), taken)
    assert max(taken.values()) <= STATEMENTS_MAX, taken


def test_page_and_files_are_small_together():
    user, own, _mother = family()
    for _ in range(25):
        paid(bill(own))
    client = signed_in(user)
    names = (
        "tokens.css",
        "elements.css",
        "portal.css",
        "portal.js",
        "logo.svg",
        "django_htmx/htmx-2.min.js",
    )
    files = sum(len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in names)
    for page in ("/", "/bills", "/help"):
        body = len(gzip.compress(client.get(page).content))
        assert files + body <= 100_000, page
    assert files <= 40_000


def test_a_relatives_row_in_the_history_has_its_day_and_no_kind_of_visit():
    user, _own, mother = family()
    one = bill(mother)
    paid(one, payer_id=user.pk)

    text = text_of(signed_in(user).get("/bills"))

    assert "11月20日云溪市第一医院，李*英，" in text
    assert "门诊楼" in text and "11月20日门诊" not in text
