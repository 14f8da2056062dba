"""Merchants, wallets, contracts, orders, refunds and the vendor's own append-only books."""

from __future__ import annotations

from django.db import models

from sandbox.world.bookkeeping import Entry


class House(models.Model):
    """The vendor's own keys: platform signature, CA, server certificate of the TLS port."""

    public_key_id = models.CharField(max_length=64)
    private_key = models.TextField()
    public_key = models.TextField()
    ca_cert = models.TextField()
    ca_key = models.TextField()
    server_cert = models.TextField()
    server_key = models.TextField()

    def __str__(self) -> str:
        return self.public_key_id


class Merchant(models.Model):
    """A merchant with everything it was given; its rules are data."""

    mchid = models.CharField(max_length=32, unique=True)
    appid = models.CharField(max_length=32)
    name = models.CharField(max_length=64)
    serial_no = models.CharField(max_length=64)
    private_key = models.TextField()
    client_cert = models.TextField()
    api_v3_key = models.CharField(max_length=32)
    api_v2_key = models.CharField(max_length=32)
    refund_window_days = models.IntegerField(default=365)
    refund_spacing_s = models.IntegerField(default=60)
    refunds_per_order = models.IntegerField(default=50)
    reverse_after_s = models.IntegerField(default=15)

    def __str__(self) -> str:
        return self.mchid


class Plan(models.Model):
    """The template of a deduction agreement with its limits."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="plans")
    plan_id = models.CharField(max_length=32)
    name = models.CharField(max_length=64)
    single_fen = models.BigIntegerField()
    daily_fen = models.BigIntegerField()
    daily_count = models.IntegerField()
    hours_from = models.TimeField()
    hours_to = models.TimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["merchant", "plan_id"], name="plan_once_per_merchant"),
        )

    def __str__(self) -> str:
        return self.plan_id


class Wallet(models.Model):
    """A person's account; above `free_fen` a scanned payment wants the password."""

    openid = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    balance_fen = models.BigIntegerField(default=0)
    free_fen = models.BigIntegerField(default=100_000)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(balance_fen__gte=0), name="wallet_not_below_zero"
            ),
        )

    def __str__(self) -> str:
        return self.openid


class PaymentCode(models.Model):
    """The code under the shop's scanner: one minute, one use.

    A wallet's own has 18 digits; the insurance code of the same phone, taken as a payment code, is
    longer.
    """

    code = models.CharField(max_length=32, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_by = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.code


class Contract(models.Model):
    """An agreement to deduct, from the opened link (WAITING) to its end."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        SIGNED = "SIGNED"
        REFUSED = "REFUSED"
        TERMINATED = "TERMINATED"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    contract_code = models.CharField(max_length=128)
    contract_id = models.CharField(max_length=32, unique=True)
    request_serial = models.CharField(max_length=64, blank=True)
    display_account = models.CharField(max_length=128, blank=True)
    notify_url = models.TextField(blank=True)
    sign_type = models.CharField(max_length=12, default="MD5")
    return_url = models.TextField(blank=True)
    token = models.CharField(max_length=64, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, null=True)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    terminated_at = models.DateTimeField(null=True)
    # 2: by the user, 3: by the merchant's call (the vendor's numbers).
    termination_mode = models.IntegerField(default=0)
    termination_remark = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["merchant", "plan", "contract_code"], name="contract_code_once"
            ),
            models.UniqueConstraint(
                fields=["merchant", "plan", "wallet"],
                condition=models.Q(state="SIGNED"),
                name="one_signed_contract_per_wallet",
            ),
        )

    def __str__(self) -> str:
        return self.contract_id


class Order(models.Model):
    """An order of any product; v2 and v3 share the merchant's numbers."""

    class State(models.TextChoices):
        NOTPAY = "NOTPAY"
        ACCEPT = "ACCEPT"
        USERPAYING = "USERPAYING"
        SUCCESS = "SUCCESS"
        REFUND = "REFUND"
        CLOSED = "CLOSED"
        REVOKED = "REVOKED"
        PAYERROR = "PAYERROR"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    out_trade_no = models.CharField(max_length=32)
    transaction_id = models.CharField(max_length=32, unique=True)
    # native, jsapi, h5, app, codepay, papay: how it was ordered.
    product = models.CharField(max_length=12)
    fingerprint = models.CharField(max_length=64)
    appid = models.CharField(max_length=32)
    description = models.CharField(max_length=127)
    attach = models.CharField(max_length=128, blank=True)
    total_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    notify_url = models.TextField(blank=True)
    sign_type = models.CharField(max_length=12, default="MD5")
    token = models.CharField(max_length=64, unique=True)
    link_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, null=True)
    wanted_openid = models.CharField(max_length=64, blank=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.SET_NULL, null=True)
    state = models.CharField(max_length=12, choices=State, default=State.NOTPAY)
    # Why an order is not final yet: the name of a fault, or `password`.
    held = models.CharField(max_length=16, blank=True)
    held_by = models.CharField(max_length=16, blank=True)
    error = models.CharField(max_length=32, blank=True)
    error_text = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["merchant", "out_trade_no"], name="order_number_once"),
            models.CheckConstraint(
                condition=models.Q(refunded_fen__lte=models.F("total_fen")),
                name="refunds_within_total",
            ),
        )
        indexes = (models.Index(fields=["contract", "paid_at"], name="order_contract_day"),)

    def __str__(self) -> str:
        return self.out_trade_no


class Refund(models.Model):
    """A refund of an order; `refunded_fen` of the order counts all but the closed ones."""

    class Status(models.TextChoices):
        PROCESSING = "PROCESSING"
        SUCCESS = "SUCCESS"
        CLOSED = "CLOSED"
        ABNORMAL = "ABNORMAL"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds")
    out_refund_no = models.CharField(max_length=64)
    refund_id = models.CharField(max_length=32, unique=True)
    protocol = models.CharField(max_length=2)
    fingerprint = models.CharField(max_length=64)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=80, blank=True)
    notify_url = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.PROCESSING)
    # What becomes of it when it ends; a fault may choose another end than SUCCESS.
    fate = models.CharField(max_length=24, default="SUCCESS")
    held_by = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["merchant", "out_refund_no"], name="refund_number_once"
            ),
        )

    def __str__(self) -> str:
        return self.out_refund_no


class BookEntry(Entry):
    """One line of the vendor's books."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)


class MixedOrder(models.Model):
    """An order of insurance and wallet together (医保自费混合); its parts have the states."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    out_trade_no = models.CharField(max_length=64)
    mix_trade_no = models.CharField(max_length=32, unique=True)
    # The cash part: a jsapi order of the same number; none where insurance pays it all.
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True)
    openid = models.CharField(max_length=64)
    pay_order_id = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    wanted = models.JSONField()
    refund = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["merchant", "out_trade_no"], name="mixed_number_once"),
        )

    def __str__(self) -> str:
        return self.mix_trade_no
