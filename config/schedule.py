"""Every beat job, one literal table; `sync_schedule` brings it to the database at deploy.

Sweepers are the net under lost tasks: what is immediate is done by tasks. Each may run twice.
"""

from __future__ import annotations

from datetime import time

from core.jobs import Job

JOBS: tuple[Job, ...] = (
    Job(
        "sweep_invoices",
        "billing.tasks.sweep_invoices",
        "a bill whose task was lost goes on within seconds",
        every_s=2,
    ),
    Job(
        "sweep_claims",
        "billing.tasks.sweep_claims",
        "a settlement whose answer was lost is known, or ended, within 30 s",
        every_s=1,
    ),
    Job(
        "sweep_transactions",
        "billing.tasks.sweep_transactions",
        "the first query comes 3 s after a send, so that a lost notice ends within 30 s",
        every_s=1,
    ),
    Job(
        "sweep_mixed_orders",
        "billing.tasks.sweep_mixed_orders",
        "the wallet hears that the insurer has given its part back",
        every_s=10,
    ),
    Job(
        "sweep_notices",
        "billing.tasks.sweep_notices",
        "a stored notice whose task was lost is applied",
        every_s=5,
    ),
    Job(
        "sweep_events",
        "billing.tasks.sweep_events",
        "the HIS hears of what no task told it",
        every_s=2,
    ),
    Job(
        "sweep_agreements",
        "billing.tasks.sweep_agreements",
        "a sign or unsign notice that was lost is noticed: within minutes while a payer signs, "
        "within a day afterwards",
        every_s=60,
    ),
    Job(
        "send_notifications",
        "patients.tasks.sweep_notifications",
        "a message whose task was lost, or whose messenger was away, is sent",
        every_s=5,
    ),
    Job(
        "send_binding_codes",
        "patients.tasks.sweep_binding_codes",
        "the code of a card somebody wants to bind is sent, also where its task was lost",
        every_s=3,
    ),
    Job(
        "end_guardians_words",
        "patients.tasks.end_guardians_words",
        "nobody pays for who came of age by the word of their guardian, from that day on",
        every_s=600,
    ),
    Job(
        "purge_phone_codes",
        "patients.tasks.purge_phone_codes",
        "a code and the phone it went to are kept only as long as a limit counts them",
        at=time(3, 40),
    ),
    Job(
        "forget_credentials",
        "insurance.tasks.forget_credentials",
        "the token of an insurance code is kept as long as its visit and no longer",
        every_s=300,
    ),
    Job(
        "sweep_filings",
        "insurance.tasks.sweep_filings",
        "a filing whose answer was lost is known within a minute, without being said again",
        every_s=5,
    ),
    Job(
        "compare_statements",
        "insurance.tasks.compare_statements",
        "yesterday's settlements are compared with the insurer's, again while it is silent",
        every_s=1800,
    ),
    Job(
        "close_day",
        "billing.tasks.close_days",
        "after midnight, when the last late facts of the day are in",
        at=time(0, 30),
    ),
)
