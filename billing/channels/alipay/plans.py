"""How an agreement plan of the house names what Alipay calls product and sign scene.

A plan's id is the sign scene the channel gave the hospital, such as INDUSTRY|HOSPITAL; a periodic
one (周期扣款) bears the prefix "cycle:" before it. Everything else is 商家代扣.
"""

from __future__ import annotations

PERIODIC = "cycle:"


def is_periodic(plan_id: str) -> bool:
    return plan_id.startswith(PERIODIC)


def product_of(plan_id: str) -> dict[str, str]:
    """Product, personal product and scene of a plan, as a signing names them."""
    return {"product_code": _product(plan_id), **identity_of(plan_id)}


def identity_of(plan_id: str) -> dict[str, str]:
    """What tells an agreement apart beside its number."""
    return {
        "personal_product_code": f"{_product(plan_id)}_P",
        "sign_scene": plan_id.removeprefix(PERIODIC),
    }


def plan_of(personal_product_code: str, sign_scene: str) -> str:
    """The plan's id behind what a notice or reply names; empty where it is no deduction."""
    if personal_product_code == "GENERAL_WITHHOLDING_P" and sign_scene:
        return sign_scene
    if personal_product_code == "CYCLE_PAY_AUTH_P" and sign_scene:
        return PERIODIC + sign_scene
    return ""


def _product(plan_id: str) -> str:
    return "CYCLE_PAY_AUTH" if is_periodic(plan_id) else "GENERAL_WITHHOLDING"
