"""Reading questions of orders of insurance and wallet: what the wallet is told of the insurance."""

from __future__ import annotations

from billing.channels.base import InsurancePart, Mode
from billing.models import MixedOrder, PaymentTransaction


def mixed_transaction(mixed_id: int) -> int:
    """The tender of such an order."""
    return MixedOrder.objects.values_list("transaction_id", flat=True).get(pk=mixed_id)


def insurance_part(row: PaymentTransaction) -> InsurancePart | None:
    """The insurance part of a tender as its order was made; None for every other tender, which
    costs no statement."""
    if row.payment.mode != Mode.MIXED:
        return None
    mixed = MixedOrder.objects.select_related(
        "claim__patient", "claim__institution__campus", "claim__institution__region",
        "claim__mobile__payer",
    ).get(transaction=row)  # fmt: skip
    claim, order = mixed.claim, mixed.claim.mobile
    split = claim.priced_split
    assert split is not None  # only a priced claim is offered
    payer, child = order.payer or claim.patient, claim.patient if order.payer else None
    return InsurancePart(
        serial_no=order.order_no,
        pay_order_no=order.pay_order_no,
        pay_auth_no=order.pay_auth_no,
        total_fen=split.total_fen - split.hospital_part_fen,
        fund_fen=split.fund_fen,
        account_fen=split.own_account_fen + split.mutual_aid_fen,
        cash_fen=split.cash_fen,
        payer_name=payer.name,
        payer_id_number=payer.id_number,
        institution_code=claim.institution.campus.institution_code,
        institution_name=claim.institution.name,
        city=claim.institution.region.area,
        location=order.location,
        relative_name=child.name if child else "",
        relative_id_number=child.id_number if child else "",
    )
