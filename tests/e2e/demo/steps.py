"""What is done once: sign in, consent, bind, sign. Each step asserts what its last page says."""

from __future__ import annotations

from tests.e2e.demo.relatives import Relative
from tests.e2e.demo.walker import Walker


def sign_in(who: Walker) -> None:
    """Phone, then the code that came, then the question about the data on the first visit."""
    seen = len(who.codes())
    who.fill("手机号", who.one.phone)
    who.press("发送验证码|获取验证码")
    who.picture("sign-in-code")
    who.fill("短信验证码", who.code(after=seen))
    who.press("^登录$")


def consent(who: Walker) -> None:
    assert who.path == "/consents/first"
    who.measure()
    who.picture("consent")
    who.press("^同意$|我同意")


def bind(who: Walker, relation: str, whom: Relative, *, elder: bool = False) -> None:
    """The form, in elder mode one question a page, and the code from the phone on record."""
    seen = len(who.codes(whom.phone))
    who.open("/family/add")
    who.tap(who.page.locator(f"label:has(input[name=relation][value={relation}])"))
    if elder:
        who.press("下一步")
    who.fill("患者姓名", whom.name)
    if elder:
        who.press("下一步")
    who.fill("证件号码", whom.id_no)
    who.picture(f"bind-{relation}")
    who.press("发送验证码")
    who.picture(f"bind-{relation}-code")
    who.fill("短信验证码", who.code(whom.phone, after=seen))
    who.press("绑定就诊卡")
    assert who.path == "/family"
    assert "就诊卡已绑定" in who.words


def sign(who: Walker, channel: str, wallet: str, *people: str, most: str = "") -> str:
    """Choose the account, say for whom, agree, and sign in the wallet; the agreement's number."""
    who.open("/agreements/new")
    who.picture(f"sign-{wallet}-choose")
    who.tap(who.page.locator("a.choice").filter(has_text=channel).first)
    for name in people:
        who.tap(who.page.locator("#people label").filter(has_text=name))
    if most:
        who.fill("每笔最多", most)
    if who.page.locator("input[name=agree]").count():
        who.tap(who.page.locator("label").filter(has=who.page.locator("input[name=agree]")))
    who.tap(who.page.locator(".bar button"))
    assert who.head == "还差一步", who.words
    number = who.path.split("/")[2]
    who.measure()
    who.picture(f"sign-{wallet}-step")
    who.tap("去签约")
    who.page.wait_for_url(f"{who.demo.sandbox}/phone/{wallet}/sign/**")
    field, value = (
        ("openid", who.one.openid) if wallet == "wechat" else ("user_id", who.one.alipay_id)
    )
    who.page.locator(f"select[name={field}]").select_option(value)
    who.picture(f"sign-{wallet}")
    who.tap(who.page.locator("button[value=yes]"))
    who.tap(who.page.get_by_role("link", name="返回商家"))
    who.page.get_by_role("heading", name="已签约").wait_for()
    return number


def file_care(who: Walker) -> int:
    """Insured in another province since today: asked, filed, promised; the filing's number."""
    one = who.one
    born = f"{one.id_no[6:10]}-{one.id_no[10:12]}-{one.id_no[12:14]}"
    who.demo.act(
        "nhsa", "enrol_person", one.id_no, name=one.name, sex="female", birth_date=born,
        insuplc_admdvs="440300",
    )  # fmt: skip
    who.open("/insurance")
    who.press("^查询医保$")
    assert "参保地：广东省深圳市" in who.words, who.words
    who.picture("insurance-unfiled")
    who.tap("办理异地就医备案")
    assert who.head == "为什么在这里就医？", who.words
    who.picture("filing-why")
    who.tap(who.page.locator("label.choice").filter(has_text="长期"))
    who.press("^下一步$")
    who.tap(who.page.locator("label.check"))
    who.picture("filing-right")
    who.press("^提交备案$")
    assert who.head == "已备案", who.words
    who.picture("filing-filed")
    return int(who.path.split("/")[3])
