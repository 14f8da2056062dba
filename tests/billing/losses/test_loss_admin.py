"""Fund losses in the admin: finance records and claims, a reviewer decides, the books follow."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import FundLoss, LossStep
from core import clock
from insurance.models import Claim
from tests.billing.desk.people import browser
from tests.billing.losses import house
from tests.billing.losses.house import balances, borne, firm

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/fundloss/"


@pytest.fixture
def claim() -> Claim:
    return house.settled()


@pytest.fixture
def finance() -> Client:
    return browser("finance")


def page_of(loss: FundLoss) -> str:
    return f"{LIST}{loss.pk}/change/"


def text(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def form(**values: object) -> dict[str, object]:
    return {
        "settlement_no": "S1", "reason": "impersonated", "amount": "20.00",
        "occurred_on": clock.today().isoformat(), "evidence": "稽核〔2026〕12号",
        "words": "他人持码就诊",
    } | values  # fmt: skip


def decide(client: Client, loss: FundLoss, **values: object) -> str:
    sent = {"step": loss.steps.latest("pk").pk, "verdict": "approve", "comment": "已核对"} | values
    return client.post(f"{LIST}{loss.pk}/decide/", sent, follow=True).content.decode()


def test_finance_records_and_a_reviewer_posts(claim: Claim, finance: Client) -> None:
    assert "登记基金损失" in text(finance, LIST)
    opened = text(finance, f"{LIST}record/?settlement_no=S1")
    assert 'value="S1"' in opened and f'value="{clock.today().isoformat()}"' in opened
    answer = finance.post(f"{LIST}record/", form(), follow=True)
    loss = FundLoss.objects.get()
    assert answer.redirect_chain == [(page_of(loss), 302)]
    shown = answer.content.decode()
    assert "已登记，由另一人复核。" in shown and "冒用他人医保身份" in shown
    # whoever asked may only withdraw it
    assert "撤回" in shown and "通过并记账" not in shown
    assert balances() == (2_952, 0, 0, 0, 0)
    reviewer = browser("reviewer")
    assert "通过并记账" in text(reviewer, page_of(loss))
    assert "已处理，并记录了您的姓名。" in decide(reviewer, loss)
    assert balances() == (952, 2_000, 0, 0, 0)
    assert "可以追偿" in text(reviewer, LIST)


def test_recourse_goes_its_way_on_the_page(claim: Claim, finance: Client) -> None:
    loss, wechat, reviewer = borne(claim, 2_000), firm(), browser("reviewer")
    assert 'value="recourse_claimed" selected' in text(finance, page_of(loss))
    assert "办理下一项" not in text(reviewer, page_of(loss))
    for kind, yuan in (("claimed", "20.00"), ("collected", "15"), ("written_off", "5.00")):
        sent = form(kind=f"recourse_{kind}", amount=yuan, institution=wechat.pk)
        assert finance.post(f"{LIST}{loss.pk}/ask/", sent).status_code == 302
        decide(reviewer, loss)
        if kind == "claimed":
            likely = text(finance, page_of(loss))
            assert 'value="recourse_collected" selected' in likely
            assert f'value="{wechat.pk}" selected' in likely
    assert balances() == (952, 0, 0, 1_500, 500)
    shown = text(finance, page_of(loss))
    assert "wechat 支付" in shown and "放弃追偿并核销" in shown and "15.00" in shown


def test_the_filters_find_what_is_to_be_done(claim: Claim, finance: Client) -> None:
    loss, wechat = borne(claim, 2_000), firm()
    for filtered in ("claimable", "waits", "outstanding"):
        found = {
            name: loss.number in text(finance, f"{LIST}?stands={name}")
            for name in ("claimable", "waits", "outstanding")
        }
        assert [name for name, there in found.items() if there] == [filtered]
        if filtered == "claimable":
            house.step(loss, "recourse_claimed", 2_000, wechat)
        elif filtered == "waits":
            house.approve(loss)


@pytest.mark.parametrize(
    ("values", "status", "said"),
    [
        ({"settlement_no": "S404"}, 404, "没有这笔结算。"),
        ({"settlement_no": ""}, 400, "请填写医保结算编号。"),
        ({"amount": "29.53"}, 409, "这笔结算最多还可登记 ¥29.52。"),
        ({"amount": "1.234"}, 400, ""),
        ({"amount": ""}, 400, ""),
        ({"reason": "x"}, 400, "请选择原因。"),
        ({"occurred_on": "2026-11-21"}, 400, "日期不能晚于今天。"),
        ({"occurred_on": "昨天"}, 400, "请选择日期。"),
        ({"evidence": ""}, 400, "请填写文书或回单编号，最多 64 个字。"),
        ({"words": ""}, 400, "请写明情况。"),
    ],
)
def test_what_cannot_be_recorded_is_said_and_kept(
    claim: Claim, finance: Client, values: dict[str, str], status: int, said: str
) -> None:
    answer = finance.post(f"{LIST}record/", form(**values))
    page = answer.content.decode()
    assert (answer.status_code, FundLoss.objects.count()) == (status, 0)
    assert said in page and "没有登记任何内容。" in page
    assert "稽核〔2026〕12号" in page or not values.get("evidence", "x")


def test_a_number_of_two_settlements_is_not_guessed(claim: Claim, finance: Client) -> None:
    other = house.settled_claim(claim.institution, "CBS1", visit_no="2611200099")
    answer = finance.post(f"{LIST}record/", form(settlement_no="CBS1"))
    assert answer.status_code == 400 and "请改填本院的批次号" in answer.content.decode()
    assert other.settlement_no == claim.batch_no


def test_refusals_of_a_step_are_said_on_its_page(claim: Claim, finance: Client) -> None:
    loss, wechat = borne(claim, 2_000), firm()
    for values, said in (
        ({"amount": "20.01"}, "尚未追偿也未冲回的只有 ¥20.00。"),
        ({"kind": "x"}, "请选择办理事项。"),
        ({"institution": ""}, "请选择支付机构。"),
        ({"institution": "404"}, "请选择支付机构。"),
    ):
        sent = form(kind="recourse_claimed", institution=wechat.pk) | values
        page = finance.post(f"{LIST}{loss.pk}/ask/", sent, follow=True).content.decode()
        assert said in page
    assert LossStep.objects.count() == 1


def test_nobody_decides_their_own_nor_without_the_right(claim: Claim, finance: Client) -> None:
    finance.post(f"{LIST}record/", form())
    loss = FundLoss.objects.get()
    assert finance.post(f"{LIST}{loss.pk}/decide/", {"verdict": "approve"}).status_code == 403
    for role in ("reviewer", "auditor", "cashier"):
        assert browser(role).post(f"{LIST}record/", form()).status_code == 403
        assert browser(role).post(f"{LIST}{loss.pk}/ask/", form()).status_code == 403
    reviewer = browser("reviewer")
    for verdict in ("approve", "reject"):
        assert "请写明理由" in decide(reviewer, loss, verdict=verdict, comment=" ")
    assert loss.steps.get().status == "OPEN"
    assert "请按其中一个按钮。" in decide(reviewer, loss, verdict="x")
    assert "请按其中一个按钮。" in decide(reviewer, loss, step="404")
    decide(finance, loss, verdict="withdraw")
    assert loss.steps.get().status == "WITHDRAWN" and balances()[1] == 0


def test_the_superuser_does_not_decide_what_the_superuser_asked(claim: Claim) -> None:
    admin = browser("admin")
    admin.post(f"{LIST}record/", form())
    loss = FundLoss.objects.get()
    assert "申请人不能批准自己的申请。" in decide(admin, loss)
    assert loss.steps.get().status == "OPEN" and balances()[1] == 0
