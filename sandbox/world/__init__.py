"""What all counterparties share: clock, faults, notices, books, actions and their control calls.

Nouns: clock, fault, notice, book, action.
Invariants: the clock only moves forward; one fault at most strikes a call; a notice is a row
before it is a packet, and the answer never waits for it (except under `early_notice`).
Refuses: names it does not know, with 400 and the names it does.
"""
