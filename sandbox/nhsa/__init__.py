"""The insurance platform: FSI over two transports, the e-credential, the mobile pay centre.

Nouns: institution, person, coverage, family link, entitlement, catalogue item, benefit term,
accumulator, visit, fee line, settlement, message, shown code, token, mobile order.
Invariants: a settlement is only ever added, its undoing is a negative row of its own; fund, person
and hospital add up to the fee; an account never goes below zero; a message number is used once.
Refuses, with infcode -2 and a sentence: unknown people and codes, calls out of order, sums that do
not add up, a credential of somebody else, a batch that is already settled.
"""
