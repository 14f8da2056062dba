"""The insurer's platforms: the national interface, the mobile-pay centre, the e-credential service.

Nouns: a `Call` is one transaction ready to be said, with how its answer is read; a `Site` is who
says it (institution, region, operator); a `Stamp` is the message number and time it is said under;
an `Answer` is what was learnt. The wire's names, spellings and yuan end in this package.
Invariants: adapters import no models; yuan become fen exactly or not at all; an answer is believed
only when it is about what was asked and its sums hold to the fen.
Refuses, by name: unknown codes, third decimals, other people's answers, a wrong signature.
"""
