"""The HIS's door: the REST API under `/api/v1/`.

Nouns: a `HisClient` speaks with a token; its numbers (encounter, charge, invoice, request, refund)
are its own. A view parses, calls one service or selector, and answers; money is decided behind it.

Invariants: every answer that refuses is problem+json with the field and the reason; a PUT sent
again changes nothing; nothing a caller sends ends in a 500, and nothing refused leaves half of it.

It refuses: unknown tokens, scopes and addresses; bodies that are not strict JSON (a key twice, NaN,
NUL, over 1 MB); unknown fields, other types, fractions of a fen; and, as "not offered here", what
the hospital has not switched on.
"""
