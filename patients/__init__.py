"""Who is treated: people, what identifies them, their visits, and how they are told.

Nouns: patient, identifier (record number, card), encounter, access of a user to a patient, campus,
HIS client, notification and messenger. Invariants: a patient is a person, identifiers are many;
personal numbers are encrypted and found by a keyed index; a message is a row before it is sent.
Refuses: to join people whose number agrees and whose name does not; that goes to review.
"""
