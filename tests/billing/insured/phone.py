"""The insured's own phone: consent, price by the centre, one password, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing.channels.base import Mode
from billing.models import Invoice, PaymentTransaction
from billing.offers import Offer
from billing.services.collecting.pay_links import offer_choose
from billing.services.insuring.phone import phone_begin
from billing.services.insuring.wallet import mixed_due, mixed_tell
from billing.services.sweeps import transaction_resume
from core import clock
from insurance.models import Claim, MobileOrder
from patients.actors import patient_actor
from patients.models import WalletIdentity
from tests.billing.insured.ward import Ward
from tests.factories import payments

PHONE = Offer("wechat_pay", Mode.MIXED)


@dataclass
class Phone:
    """One insured patient with the phone in hand."""

    ward: Ward
    user: Any
    forms: int = 0

    def allowed(self, bill: Invoice) -> Invoice:
        """The insured allow it, and the centre prices the bill."""
        given = self.ward.sandbox.act("nhsa", "authorise_pay", self.ward.insurer.psn_no)
        bill.refresh_from_db()
        phone_begin(invoice=bill, pay_auth_no=given["pay_auth_no"], by=patient_actor(self.user))
        return self.ward.driven(bill)

    def pressed(self, bill: Invoice, offer: Offer = PHONE) -> Any:
        """The one tap: the order is made, and the wallet is asked with what comes back."""
        self.forms += 1
        bill.refresh_from_db()
        return offer_choose(
            invoice=bill,
            offer=offer,
            payer_address="10.0.0.1",
            form_key=f"form-{self.forms}",
            payer_id=self.user.pk,
            visitor_id=self.user.pk,
        )

    def confirmed(self) -> dict[str, Any]:
        """The password is typed in."""
        return self.ward.sandbox.act("payer", "confirm_mixed", self.ward.openid)

    def heard(self, bill: Invoice, seconds: float = 4) -> Invoice:
        """The sweepers come by: the tender is looked at, and the bill driven."""
        self.ward.later(seconds)
        row = PaymentTransaction.objects.filter(
            payment__invoice=bill, kind="CAPTURE", status__in=PaymentTransaction.IN_FLIGHT
        ).first()
        if row is not None:
            transaction_resume(transaction_id=row.pk)
            bill.refresh_from_db()
            return bill
        return self.ward.driven(bill)

    def tried(self, bill: Invoice) -> Invoice:
        """Everything up to the password."""
        self.allowed(bill)
        self.pressed(bill)
        bill.refresh_from_db()
        return bill

    def paid(self, bill: Invoice) -> Invoice:
        self.tried(bill)
        self.confirmed()
        return self.heard(bill)

    def left(self, bill: Invoice) -> Invoice:
        """The deadline of the page passes without a password."""
        return self.heard(bill, 1_000)

    def told(self) -> int:
        """The channel is told of every insurance part that went back."""
        ids = mixed_due(limit=10, lease_s=30)
        for mixed_id in ids:
            mixed_tell(mixed_id=mixed_id)
        return len(ids)

    def disturb(self, bill: Invoice, ord_stas: int) -> None:
        self.ward.sandbox.act("nhsa", "set_order", self.order(bill).pay_order_no, ord_stas=ord_stas)

    def order(self, bill: Invoice) -> MobileOrder:
        return MobileOrder.objects.filter(claim__invoice_ref=bill.pk).latest("pk")

    def claims(self, bill: Invoice) -> list[tuple[str, str]]:
        rows = Claim.objects.filter(invoice_ref=bill.pk).order_by("pk")
        return [(row.route, row.status) for row in rows]


def phone_open(ward: Ward) -> Phone:
    """The patient is known to the merchant's app as the wallet's holder."""
    user = payments.user()
    WalletIdentity.objects.create(
        user=user,
        channel="wechat_pay",
        app_id=ward.channel.merchant.app_id,
        subject=ward.openid,
        created_at=clock.now(),
    )
    return Phone(ward, user)
