"""The ledger: every fen that moves, twice, once and for good (总账).

Nouns. A `LedgerAccount` is a path such as ``clearing/wechat_pay/1900000001``; its first word is a
family of the chart (`chart.py`). A `JournalEntry` is one business event under one unique reference;
its `Posting` rows are the legs, signed fen: debit > 0 > credit. A `ClosedDay` ends a business day
and a `DaySnapshot` holds what an account had moved until then.

Invariants, kept by the database (`migrations/*.sql`), whoever writes:
an entry has at least two legs, sums to zero and is written by one statement; nothing joins it
later; nothing is ever changed or deleted, a correction is another entry; a posting on a shared
account names its subject; the fund's money meets only its own accounts; of one invoice never more
becomes refundable than was received through tenders that are not the fund; so that no chain of
entries goes round that, an entry of a receivable names its invoice, a refund or unexpected money
stays with one invoice and a debt that is moved must have been there; a closed day gets no posting:
what is learnt late is booked on the first open day while `occurred_at` keeps the truth.

What it refuses: an entry out of balance, a reference posted before with other legs, an account
outside the chart, an amount of zero. It keeps no running balance that writers would queue for: a
balance is the last snapshot plus the postings since.
"""
