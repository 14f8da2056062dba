"""The phone in the patient's hand: wallets, payment codes, agreements to sign, messages; and the
fault panel beside it.

Nouns: phone (a wallet with its messages), pay request, agreement, fault.
Invariants: owns no data; whatever moves money goes through the counterparty's own actions.
Refuses: what the counterparty refuses, in its words.
"""
