"""Pay after treatment: a granted line, holds and drawdowns on it, one repayment a month.

Nouns: credit line, hold, drawdown, statement, repayment; the gateway to the granting bank.
Invariants: used + reserved never exceeds the limit, and only the line holds both figures; a post
never exceeds its hold. It is a payment channel for billing, and repayment a payment purpose.
Refuses: new holds while a statement is overdue; never a treatment. Not built yet.
"""
