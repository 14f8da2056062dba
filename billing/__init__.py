"""What is owed and how it is paid: the app the main job lives in.

Nouns: charge item, invoice, payment, payment transaction, agreement, pay link, return, shift; the
ledger, the channels and the HIS's API are packages of it. Invariants: every movement of money is
one payment transaction; its number is committed before the call; payments, returns and ledger
entries of a bill agree to the fen. Refuses: to call an answer that did not come "failed", to send
again what may have been done, and to take a second tender while one may still succeed.
"""
