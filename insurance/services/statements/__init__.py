"""A day at the insurer, compared: our sums (3201), and where they differ row by row (3202).

The sums of a day are counted by one statement of the database, and by one the insurer's rows are
matched with ours, however many claims there are. Nothing here changes a claim's money: what differs
is kept as rows for a person. A day is asked about again until it is even or its rows are known, and
rows that are known are looked for again for a week.
"""

from insurance.services.statements.comparing import DayReport, day_compare, days_due

__all__ = ["DayReport", "day_compare", "days_due"]
