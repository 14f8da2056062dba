"""A bill's claim at the insurer: opened at issue, priced, settled around the tender, taken back.

`course` says what is next, by one literal table; each step asks the insurer outside of any
transaction and writes what it heard in one. Everything here may run twice.
"""
