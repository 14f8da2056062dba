"""WeChat Pay as seen from a merchant: v3 JSON, v2 XML for deductions, notices, its own books.

Nouns: merchant, plan, wallet, payment code, contract, order, refund, book entry.
Invariants: a wallet never goes below zero; Σ refunds of an order ≤ its total; book entries are
only ever added; the same number with the same parameters gives the same answer.
Refuses: a wrong signature, an old timestamp, the same number with other parameters, a refund
without a client certificate on the v2 endpoint.
"""
