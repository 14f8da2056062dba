"""The ways money can take: one protocol, one adapter each, each a translation and nothing more.

Nouns: channel, capture, refund, query, notice, agreement, answer. Invariants: an adapter knows no
table and decides nothing; what it could not understand is UNKNOWN. Refuses: an amount it cannot say
exactly, and a notice whose signature, merchant or age is wrong.
"""
