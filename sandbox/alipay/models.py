"""Merchants, wallets, contracts, trades, refunds, transfers and the vendor's append-only books."""

from __future__ import annotations

from django.db import models

from sandbox.world.bookkeeping import Entry


class House(models.Model):
    """The vendor's own keys: one signs, its certificate stands under the root."""

    private_key = models.TextField()
    public_key = models.TextField()
    root_cert = models.TextField()
    root_key = models.TextField()
    alipay_cert = models.TextField()

    def __str__(self) -> str:
        return f"house {self.pk}"


class Merchant(models.Model):
    """A seller with its application; its rules are data."""

    pid = models.CharField(max_length=16, unique=True)
    app_id = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=64)
    private_key = models.TextField()
    public_key = models.TextField()
    app_cert = models.TextField()
    refund_window_days = models.IntegerField(default=365)
    cancel_window_s = models.IntegerField(default=86_400)
    payout_fen = models.BigIntegerField(default=10**12)

    def __str__(self) -> str:
        return self.pid


class Plan(models.Model):
    """What a sign scene of a product allows."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="plans")
    product_code = models.CharField(max_length=32)
    sign_scene = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    single_fen = models.BigIntegerField()
    daily_fen = models.BigIntegerField()
    daily_count = models.IntegerField()
    hours_from = models.TimeField()
    hours_to = models.TimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["merchant", "product_code", "sign_scene"], name="alipay_plan_once"
            ),
        )

    @property
    def personal_product_code(self) -> str:
        return f"{self.product_code}_P"

    def __str__(self) -> str:
        return f"{self.product_code}/{self.sign_scene}"


class Wallet(models.Model):
    """A person's account; above `free_fen` a scanned payment wants the password."""

    user_id = models.CharField(max_length=16, unique=True)
    logon_id = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    balance_fen = models.BigIntegerField(default=0)
    free_fen = models.BigIntegerField(default=100_000)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(balance_fen__gte=0), name="alipay_wallet_not_below_zero"
            ),
        )

    def __str__(self) -> str:
        return self.user_id


class PaymentCode(models.Model):
    """The code under the shop's scanner: 18 digits from 25 to 30, one minute, one use."""

    code = models.CharField(max_length=24, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_by = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.code


class Contract(models.Model):
    """An agreement to deduct, from the opened page (TEMP) to its end (STOP)."""

    class State(models.TextChoices):
        TEMP = "TEMP"
        NORMAL = "NORMAL"
        REFUSED = "REFUSED"
        STOP = "STOP"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    external_agreement_no = models.CharField(max_length=32)
    agreement_no = models.CharField(max_length=32, unique=True)
    external_logon_id = models.CharField(max_length=100, blank=True)
    period = models.JSONField(default=dict)
    notify_url = models.TextField(blank=True)
    return_url = models.TextField(blank=True)
    token = models.CharField(max_length=64, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, null=True)
    state = models.CharField(max_length=12, choices=State, default=State.TEMP)
    created_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["merchant", "plan", "external_agreement_no"], name="alipay_contract_once"
            ),
            models.UniqueConstraint(
                fields=["merchant", "plan", "wallet"],
                condition=models.Q(state="NORMAL"),
                name="alipay_one_contract_per_wallet",
            ),
        )

    def __str__(self) -> str:
        return self.agreement_no


class Trade(models.Model):
    """A trade of any product. OFFERED: a code or link was given out and nobody opened it."""

    class State(models.TextChoices):
        OFFERED = "OFFERED"
        WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
        TRADE_SUCCESS = "TRADE_SUCCESS"
        TRADE_FINISHED = "TRADE_FINISHED"
        TRADE_CLOSED = "TRADE_CLOSED"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    out_trade_no = models.CharField(max_length=64)
    trade_no = models.CharField(max_length=32, unique=True)
    # precreate, wap, bar_code, withhold: how it was begun.
    product = models.CharField(max_length=12)
    fingerprint = models.CharField(max_length=64)
    subject = models.CharField(max_length=256)
    total_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    notify_url = models.TextField(blank=True)
    return_url = models.TextField(blank=True)
    token = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, null=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.SET_NULL, null=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAIT_BUYER_PAY)
    # Why it is not final yet: the name of a fault, or `password`.
    held = models.CharField(max_length=16, blank=True)
    held_by = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["merchant", "out_trade_no"], name="alipay_trade_once"),
            models.CheckConstraint(
                condition=models.Q(refunded_fen__lte=models.F("total_fen")),
                name="alipay_refunds_within_total",
            ),
        )
        indexes = (models.Index(fields=["contract", "paid_at"], name="alipay_contract_day"),)

    def __str__(self) -> str:
        return self.out_trade_no


class Refund(models.Model):
    """A refund of a trade; `refunded_fen` of the trade counts all of them."""

    class Status(models.TextChoices):
        PROCESSING = "REFUND_PROCESSING"
        SUCCESS = "REFUND_SUCCESS"
        FAIL = "REFUND_FAIL"

    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="refunds")
    out_request_no = models.CharField(max_length=64)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=256, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PROCESSING)
    # The payer's bank sent it back: S or F once the bank has spoken.
    deposit_back = models.CharField(max_length=1, blank=True)
    fate = models.CharField(max_length=12, default="SUCCESS")
    held_by = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["trade", "out_request_no"], name="alipay_refund_once"),
        )

    def __str__(self) -> str:
        return self.out_request_no


class Transfer(models.Model):
    """A payment of a merchant to a person."""

    class Status(models.TextChoices):
        DEALING = "DEALING"
        SUCCESS = "SUCCESS"
        FAIL = "FAIL"
        REFUND = "REFUND"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    out_biz_no = models.CharField(max_length=64)
    order_id = models.CharField(max_length=32, unique=True)
    fingerprint = models.CharField(max_length=64)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE)
    amount_fen = models.BigIntegerField()
    title = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.DEALING)
    error_code = models.CharField(max_length=64, blank=True)
    fate = models.CharField(max_length=12, default="SUCCESS")
    held_by = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["merchant", "out_biz_no"], name="alipay_transfer_once"),
        )

    def __str__(self) -> str:
        return self.out_biz_no


class BookEntry(Entry):
    """One line of the vendor's books."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
