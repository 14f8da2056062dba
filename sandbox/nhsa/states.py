"""ordStas of the mobile pay centre, by class."""

from __future__ import annotations

SAVED, PRICED, SETTLING = 0, 1, 2
CASH_DONE, INSURANCE_DONE = 3, 4
HOSPITAL_DONE, PAID = 5, 6
REFUNDED, INSURANCE_BACK, CASH_BACK, CASH_PART_BACK, INSURANCE_AND_PART_BACK = 7, 8, 9, 10, 11
REVOKED, HALF_REVOKED, ABNORMAL, FAILED, STUCK, REFUNDING = 12, 13, 14, 15, 16, 17
# Saved and priced orders are offers: nothing moves before the payer confirms.
OPEN = (SETTLING, CASH_DONE, INSURANCE_DONE, REFUNDING)
