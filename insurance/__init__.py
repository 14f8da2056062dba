"""What a public insurer owes for a patient, and how it is asked and settled.

Nouns: coverage, claim, claim response, credential, filing; the gateway to the insurance platform.
Invariants: insurance sees frozen line values, never a charge item; it posts nothing to the ledger.
Refuses: a second open or settled claim for one invoice, resending a settlement whose answer did not
come, and a split that does not add up to the fen.
"""
