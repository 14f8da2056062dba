"""2581, 2582 and 5381 (**ours**): a hospital files, ends and asks for a family account."""

from __future__ import annotations

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.family import account_of
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Coverage, FamilyLink, Person
from sandbox.nhsa.numbers import yuan_text
from sandbox.nhsa.people import NOBODY, person_of, pool_of
from sandbox.nhsa.refusal import Refused

RELATIONS = {"1": "child", "2": "spouse", "3": "parent"}


def _flag(value: object) -> str:
    return "1" if value else "0"


def _two(call: Call) -> tuple[Fields, Person, Person]:
    data = call.data()
    payer = person_of(call, data)
    member = Person.objects.filter(psn_no=data.need("memb_psn_no", 30)).first()
    if member is None:
        raise Refused(NOBODY)
    if member.pk == payer.pk:
        raise Refused("不能与自己共济")
    return data, payer, member


def family_file(call: Call) -> Output:
    """2581: both become one family account; the member's card is linked if there is one."""
    data, payer, member = _two(call)
    relation = RELATIONS[data.choice("memb_rel", tuple(RELATIONS))]
    if account_of(payer) is None:
        raise Refused("付款家人没有可用的个人账户")
    row, _ = FamilyLink.objects.get_or_create(
        payer=payer,
        member=member,
        ended_at=None,
        defaults={
            "relation": relation,
            "card_linked": bool(member.card_no),
            "created_at": call.now,
        },
    )
    if row.relation != relation:
        raise Refused("已按另一种关系建立家庭账户")
    FamilyLink.objects.filter(pk=row.pk).update(family_account=True)
    return {"result": {"fam_acct_sn": str(row.pk)}}


def family_end(call: Call) -> Output:
    """2582: ended again it is ended."""
    _data, payer, member = _two(call)
    FamilyLink.objects.filter(payer=payer, member=member, ended_at=None).update(ended_at=call.now)
    return {}


def family_query(call: Call) -> Output:
    """5381: every condition by itself; what follows from them is for the one who asks."""
    _data, payer, member = _two(call)
    link = FamilyLink.objects.filter(payer=payer, member=member, ended_at=None).first()
    account = account_of(payer)
    covered = member.coverages.filter(psn_insu_stas=Coverage.ACTIVE).first()
    one_pool = (
        account is not None
        and covered is not None
        and pool_of(account.insuplc_admdvs) == pool_of(covered.insuplc_admdvs)
    )
    return {
        "famacctinfo": {
            "psn_no": payer.psn_no,
            "memb_psn_no": member.psn_no,
            "acct_flag": _flag(account),
            "balc": yuan_text(account.balance_fen if account else 0),
            "memb_insu_flag": _flag(covered),
            "same_pool_flag": _flag(one_pool),
            "memb_card_flag": _flag(member.card_valid),
            "card_link_flag": _flag(link and link.card_linked),
            "fam_acct_flag": _flag(link and link.family_account),
            "grdn_flag": _flag(member.enrolled_by_id == payer.pk),
        }
    }
