"""Alipay as seen from a merchant: the RSA2 gateway, notices, signing pages, its own books.

Nouns: merchant, plan, wallet, payment code, contract, trade, refund, transfer, book entry.
Invariants: a wallet never goes below zero; Σ refunds of a trade ≤ its total; book entries are only
ever added; the same number with the same terms moves money once; a code or link that nobody opened
is no trade yet.
Refuses: a wrong signature, an unknown method, the same number with other terms, a transfer without
certificates or under another name.
"""
