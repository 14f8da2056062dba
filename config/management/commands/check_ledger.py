"""`manage.py check_ledger`: read the books again and say what does not hold; exit 3 if anything."""

from __future__ import annotations

from typing import Any

from billing.ledger.checking import ledger_check
from billing.ledger.entries import LedgerReport
from core.commands import ExitCode, PortalCommand, Result
from core.money import format_yuan


class Command(PortalCommand):
    help = "Check the ledger from the first posting: zero sums, fund rules, snapshots."

    def perform(self, **options: Any) -> Result:
        report = ledger_check()
        exit_code = ExitCode.OK if report.sound else ExitCode.DIFFERENCES
        return Result(_data(report), _text(report), exit_code)


def _data(report: LedgerReport) -> dict[str, Any]:
    return {
        "entries": report.entries,
        "postings": report.postings,
        "unbalanced": report.unbalanced,
        "violations": [
            {"rule": violation.rule, "where": violation.where} for violation in report.violations
        ],
        "accounts": {
            account.code: {
                "debit_fen": account.debit_fen,
                "credit_fen": account.credit_fen,
                "balance_fen": account.balance_fen,
            }
            for account in report.accounts
        },
    }


def _text(report: LedgerReport) -> str:
    lines = [
        f"{account.code:<48} {format_yuan(account.debit_fen):>18}"
        f" {format_yuan(account.credit_fen):>18} {format_yuan(account.balance_fen):>18}"
        for account in report.accounts
    ]
    lines += [f"broken: {broken.rule} at {broken.where}" for broken in report.violations]
    verdict = "the books are sound" if report.sound else "THE BOOKS ARE NOT SOUND"
    lines.append(f"{report.entries} entries, {report.postings} postings: {verdict}")
    return "\n".join(lines)
