"""Old outpatient deposits go back to whom they belong to, reviewed and sent in batches.

Nouns: imported top-up, refund request and plan, evidence, review, batch, the authority's ledger
(台账). Invariants: a plan's parts sum to the balance under the deposit's lock; a part refused or
returned becomes a transfer part of the same request.
Refuses: the original route where the payer is not known to be the patient or guardian, and an
approval by whoever made the request. Not built yet.
"""
