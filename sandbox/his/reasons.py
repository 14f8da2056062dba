"""Why the portal did not take money, or asks a person: its codes as a cashier reads them.

One list: a code that is not here is shown as "other reason" with itself, and a test fails on it.
"""

from __future__ import annotations

REASONS = {
    "no_agreement": "病人没有签代扣协议",
    "agreement_limit": "超出代扣协议的限额",
    "agreement_hours": "现在不在代扣协议的扣款时间内",
    "agreement_ended": "代扣协议已失效",
    "pay_link": "已发付款链接，等病人支付",
    "not_offered": "医院没有开通这种收费方式",
    "passed_over": "上一笔尚未确认，收费员改用其他方式收费",
    "not_sent": "请求没有送达，没有扣款",
    "not_enough_money": "账户余额不足",
    "account_limit": "超出付款账户的限额",
    "account_restricted": "付款账户不能用于支付",
    "code_expired": "付款码已失效，请病人刷新后重扫",
    "code_invalid": "这不是有效的付款码",
    "not_confirmed": "病人没有及时输入密码",
    "order_closed": "订单已关闭，没有扣款",
    "merchant_setup": "商户设置有误，请联系信息科",
    "not_completed": "支付没有完成，没有扣款",
    "no_credential": "还没有出示医保码",
    "not_covered": "今天没有可用的医保",
    "other_person": "医保码不是本次就诊病人的",
    "insurance_code": "医保码或人脸没有读出来，请重新出示",
    "lines_refused": "这些收费项目不能医保结算",
    "insurer_refused": "医保中心没有同意结算",
    "insurer_silent": "医保中心没有应答，请稍后再试",
    "insurer_review": "医保的答复要人工核对",
    "price_changed": "个人自付金额有变，请病人看过再付",
    "patient_left": "病人没有等候，医保结算已撤销",
    "paid_otherwise": "账单已由其他方式付清，请把现金退还",
    # questions for a person
    "amount_differs": "渠道说的金额与账单不符，转人工核对",
    "not_ended": "迟迟没有结果，转人工核对",
    "state_differs": "渠道前后说法不一，转人工核对",
    "return_not_settled": "退费后重新结算没有成功，转人工核对",
    "return_dearer": "退费后其余部分反而更贵，转人工核对",
    "claim_not_reversed": "医保没有撤销原结算，转人工核对",
    "claim_in_review": "医保的答复不可信，转人工核对",
}
