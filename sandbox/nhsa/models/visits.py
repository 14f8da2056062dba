"""Visits, their fee lines, and settlements, which are only ever added."""

from __future__ import annotations

from django.db import models

from sandbox.nhsa.models.house import Institution
from sandbox.nhsa.models.people import Coverage, Person


class Visit(models.Model):
    """A registration of 2201 with what 2203A told of it."""

    mdtrt_id = models.CharField(max_length=30, unique=True)
    institution = models.ForeignKey(Institution, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    coverage = models.ForeignKey(Coverage, models.CASCADE)
    ipt_otp_no = models.CharField(max_length=30)
    cert_type = models.CharField(max_length=3)
    cert_no = models.CharField(max_length=50)
    begntime = models.DateTimeField()
    # Doctor and department as registered.
    registered = models.JSONField(default=dict)
    # Empty until 2203A.
    med_type = models.CharField(max_length=6, blank=True)
    dise_codg = models.CharField(max_length=30, blank=True)
    diagnoses = models.JSONField(default=list)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["institution", "ipt_otp_no"],
                condition=models.Q(cancelled_at__isnull=True),
                name="nhsa_ipt_otp_no_once",
            ),
        )

    def __str__(self) -> str:
        return self.mdtrt_id


class Settlement(models.Model):
    """One row of the clearing: a settlement, its cancellation (2208), or an undoing (2601).

    Amounts are never changed. `state` says whether the row stands, was cancelled by a later one, or
    was undone by 2601 and so counts for nobody.
    """

    class Kind(models.TextChoices):
        SETTLE = "settle"
        CANCEL = "cancel"
        UNDO = "undo"

    class State(models.TextChoices):
        STANDS = "stands"
        CANCELLED = "cancelled"
        UNDONE = "undone"

    AMOUNTS = (
        "medfee_fen",
        "fulamt_fen",
        "overlmt_fen",
        "preselfpay_fen",
        "inscp_fen",
        "dedc_fen",
        "hifp_fen",
        "cvlserv_fen",
        "hifes_fen",
        "hifmi_fen",
        "hifob_fen",
        "maf_fen",
        "hifdm_fen",
        "oth_fen",
        "fund_fen",
        "hosp_part_fen",
        "psn_part_fen",
        "acct_fen",
        "mulaid_fen",
        "cash_fen",
    )

    setl_id = models.CharField(max_length=30, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.STANDS)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="settlements")
    institution = models.ForeignKey(Institution, models.CASCADE)
    msgid = models.CharField(max_length=40)
    insutype = models.CharField(max_length=6)
    med_type = models.CharField(max_length=6)
    batch = models.CharField(max_length=30)
    clr_type = models.CharField(max_length=6)
    clr_way = models.CharField(max_length=6)
    clr_optins = models.CharField(max_length=6)
    year = models.IntegerField()
    medfee_fen = models.BigIntegerField()
    fulamt_fen = models.BigIntegerField()
    overlmt_fen = models.BigIntegerField()
    preselfpay_fen = models.BigIntegerField()
    inscp_fen = models.BigIntegerField()
    dedc_fen = models.BigIntegerField()
    hifp_fen = models.BigIntegerField()
    cvlserv_fen = models.BigIntegerField()
    hifes_fen = models.BigIntegerField()
    hifmi_fen = models.BigIntegerField()
    hifob_fen = models.BigIntegerField()
    maf_fen = models.BigIntegerField()
    hifdm_fen = models.BigIntegerField()
    oth_fen = models.BigIntegerField()
    fund_fen = models.BigIntegerField()
    hosp_part_fen = models.BigIntegerField()
    psn_part_fen = models.BigIntegerField()
    acct_fen = models.BigIntegerField()
    mulaid_fen = models.BigIntegerField()
    cash_fen = models.BigIntegerField()
    balance_fen = models.BigIntegerField()
    ratio = models.DecimalField(max_digits=5, decimal_places=4)
    # Accounts that paid for this person: [[coverage id, fen], …], negative when given back.
    aid_payers = models.JSONField(default=list)
    # What the year's accumulator grew by, and its limits as they were.
    deltas = models.JSONField(default=dict)
    details = models.JSONField(default=list)
    # The lines as they were settled: a later 2205 removes them from the visit.
    lines = models.JSONField(default=list)
    said = models.CharField(max_length=400, blank=True)
    setl_time = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(
                    medfee_fen=models.F("fulamt_fen")
                    + models.F("overlmt_fen")
                    + models.F("preselfpay_fen")
                    + models.F("inscp_fen")
                ),
                name="nhsa_settlement_by_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    medfee_fen=models.F("fund_fen")
                    + models.F("psn_part_fen")
                    + models.F("hosp_part_fen")
                ),
                name="nhsa_settlement_by_payer",
            ),
            models.CheckConstraint(
                condition=models.Q(psn_part_fen=models.F("acct_fen") + models.F("cash_fen")),
                name="nhsa_settlement_of_person",
            ),
            models.UniqueConstraint(
                fields=["visit", "batch"],
                condition=models.Q(kind="settle", state="stands"),
                name="nhsa_batch_settled_once",
            ),
        )
        indexes = (models.Index(fields=["institution", "msgid"], name="nhsa_settlement_msgid"),)

    def __str__(self) -> str:
        return self.setl_id


class FeeLine(models.Model):
    """One line of 2204 with the split of the catalogue; its settlement, once it has one."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="lines")
    feedetl_sn = models.CharField(max_length=30)
    batch = models.CharField(max_length=30)
    dise_codg = models.CharField(max_length=30, blank=True)
    code = models.CharField(max_length=50)
    own_code = models.CharField(max_length=150)
    name = models.CharField(max_length=200)
    level = models.CharField(max_length=3)
    chrgitm_type = models.CharField(max_length=6)
    selfpay_prop = models.DecimalField(max_digits=5, decimal_places=4)
    price_limit = models.DecimalField(max_digits=16, decimal_places=6)
    limited_use = models.BooleanField(default=False)
    cnt = models.DecimalField(max_digits=16, decimal_places=4)
    pric = models.DecimalField(max_digits=16, decimal_places=6)
    amount_fen = models.BigIntegerField()
    fulamt_fen = models.BigIntegerField()
    overlmt_fen = models.BigIntegerField()
    preselfpay_fen = models.BigIntegerField()
    inscp_fen = models.BigIntegerField()
    # Doctor, department, prescription, dose … as sent.
    told = models.JSONField(default=dict)
    settlement = models.ForeignKey(Settlement, models.SET_NULL, null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["visit", "feedetl_sn"], name="nhsa_line_once"),
            models.CheckConstraint(
                condition=models.Q(
                    amount_fen=models.F("fulamt_fen")
                    + models.F("overlmt_fen")
                    + models.F("preselfpay_fen")
                    + models.F("inscp_fen")
                ),
                name="nhsa_line_by_scope",
            ),
        )

    def __str__(self) -> str:
        return self.feedetl_sn
