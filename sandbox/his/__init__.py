"""The hospital information system: a console that registers visits and receives our events.

Nouns: visit, charge, invoice, return, step, event.
Invariants: an intent is a row before the portal is asked, under a number that stays; an event is
kept once; returns of a charge never exceed it.
Refuses: an event that is unsigned, old, or out of its invoice's order; a return above what is left.
"""
