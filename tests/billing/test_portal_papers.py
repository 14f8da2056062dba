"""What a patient keeps of a bill: the receipt, the messages, and what they said about the visit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pypdf import PdfReader

from billing.models import Rating
from core import clock
from patients.models import Notification
from tests.billing.portal_house import bill, family, paid, signed_in, text_of

pytestmark = pytest.mark.django_db


def test_receipt_is_a_small_pdf_with_its_own_font(tmp_path):
    # Given a paid bill with sixty lines and a name that looks like markup
    user, own, _mother = family()
    one = bill(own, *range(100, 160), item_name="#eval(1) $x$ *阿托伐他汀* @钙片", category="09")
    paid(one)
    client = signed_in(user)

    answer = client.get(f"/bills/{one.pk}/receipt")

    # Then it is all there, literally, and in a font from the file
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "application/pdf" and "no-store" in answer["Cache-Control"]
    target = tmp_path / "receipt.pdf"
    target.write_bytes(answer.content)
    pages = PdfReader(target).pages
    text = "".join("".join(page.extract_text().split()) for page in pages)
    for said in (
        "缴费凭证",
        "云溪市第一医院",
        "王秀兰",
        one.invoice_no,
        "#eval(1)$x$*阿托伐他汀*@钙片",
    ):
        assert said in text, said
    fonts = {
        str(f.get_object()["/BaseFont"]) for p in pages for f in p["/Resources"]["/Font"].values()
    }
    assert len(answer.content) < 100_000 and all("NotoSansSC" in name for name in fonts)
    # And the open bill has none
    assert client.get(f"/bills/{bill(own).pk}/receipt").status_code == 404


def test_receipt_for_who_may_only_pay_names_no_item_and_masks_the_name(tmp_path):
    user, _own, mother = family()
    one = bill(mother, 8640, item_name="阿托伐他汀", category="09")
    paid(one, payer_id=user.pk)
    target = tmp_path / "receipt.pdf"
    target.write_bytes(signed_in(user).get(f"/bills/{one.pk}/receipt").content)

    text = "".join(PdfReader(target).pages[0].extract_text().split())
    assert "李*英" in text and "李桂英" not in text and "阿托伐他汀" not in text
    assert "内科" not in text and "¥86.40" in text


@pytest.mark.parametrize("by_reader", [True, False])
def test_you_paid_is_said_only_to_who_paid(tmp_path, by_reader):
    # Given a daughter who reads her mother's bill; the mother paid by her link, or she herself did
    user, _own, mother = family()
    one = bill(mother, 2800)
    paid(one, payer_id=user.pk if by_reader else None)
    client = signed_in(user)

    target = tmp_path / "receipt.pdf"
    target.write_bytes(client.get(f"/bills/{one.pk}/receipt").content)
    receipt = "".join(PdfReader(target).pages[0].extract_text().split())
    page = text_of(client.get(f"/bills/{one.pk}"))

    said = "您已支付" if by_reader else "已支付"
    assert f"{said}¥28.00" in receipt and ("您已支付" in receipt) is by_reader
    assert said in page and ("您已支付" in page) is by_reader


def test_messages_are_read_again_without_department(still_clock):
    user, own, _mother = family()
    one = bill(own)
    row = paid(one, payer_id=user.pk)

    client = signed_in(user)
    assert "还没有消息" in text_of(client.get("/messages"))
    Notification.objects.filter(key=f"deducted/{row.number}").update(
        status="SENT", sent_at=clock.now()
    )
    text = text_of(client.get("/messages"))
    assert "¥86.40" in text and "王秀兰" in text and one.invoice_no[-6:] in text
    assert "内科" not in text


@pytest.fixture
def visit(still_clock):
    """Yesterday's paid bill of a signed-in user."""
    user, own, _mother = family()
    one = bill(own)
    paid(one)
    assert "满意吗" not in text_of(signed_in(user).get("/"))
    still_clock.advance(timedelta(days=1))
    return user, one


def test_rating_is_asked_the_day_after_and_given_once(visit):
    user, one = visit
    client = signed_in(user)
    home = client.get("/")
    assert "满意吗" in text_of(home) and f"/bills/{one.pk}/rating" in home.content.decode()

    sent = {"grade": "4", "tags": ["quick", "kind"], "text": " 很快 "}
    for grade in ("4", "1"):
        answer = client.post(f"/bills/{one.pk}/rating", sent | {"grade": grade})
        assert answer.status_code == 303

    kept = Rating.objects.get()
    assert (kept.grade, kept.tags, kept.text, kept.user) == (4, ["kind", "quick"], "很快", user)
    assert "谢谢您" in text_of(client.get(f"/bills/{one.pk}/rating"))
    assert "满意吗" not in text_of(client.get("/"))


@pytest.mark.parametrize(
    "sent",
    [{}, {"grade": "6"}, {"grade": "²"}, {"grade": "4", "tags": ["x"]},
     {"grade": "4", "text": "好" * 501}],
)  # fmt: skip
def test_bad_rating_is_refused_with_a_sentence_and_keeps_nothing(visit, sent):
    user, one = visit
    answer = signed_in(user).post(f"/bills/{one.pk}/rating", sent)

    assert answer.status_code == 400 and "有1处要改" in text_of(answer)
    assert not Rating.objects.exists()


def test_elder_mode_asks_the_grade_then_why(visit):
    user, one = visit
    client = signed_in(user)
    client.cookies["mode"] = "elder-1"

    first = client.get(f"/bills/{one.pk}/rating")
    assert "<textarea" not in first.content.decode() and "下一步" in text_of(first)
    asked = client.get(f"/bills/{one.pk}/rating?asked=1")
    assert asked.status_code == 400 and "请在五项里选一项" in text_of(asked)
    then = client.get(f"/bills/{one.pk}/rating?grade=1")
    assert "为什么" in text_of(then) and "等太久" in text_of(then) and "态度好" not in text_of(then)
    client.post(f"/bills/{one.pk}/rating", {"grade": "1", "tags": ["slow"]})
    assert Rating.objects.get().grade == 1


def test_who_may_only_pay_is_not_asked(still_clock):
    user, _own, mother = family()
    one = bill(mother)
    paid(one, payer_id=user.pk)
    still_clock.advance(timedelta(days=1))
    client = signed_in(user)

    assert "满意吗" not in text_of(client.get("/"))
    assert client.get(f"/bills/{one.pk}/rating").status_code == 404


def test_an_open_bill_cannot_be_rated():
    user, own, _mother = family()
    one = bill(own)
    assert signed_in(user).post(f"/bills/{one.pk}/rating", {"grade": "5"}).status_code == 404


def test_hospital_reads_ratings_in_its_admin(visit, admin_client):
    user, one = visit
    signed_in(user).post(f"/bills/{one.pk}/rating", {"grade": "2", "text": "等了很久"})
    answer = admin_client.get("/admin/billing/rating/")

    assert "等了很久" in answer.content.decode() and "王秀兰" not in answer.content.decode()
