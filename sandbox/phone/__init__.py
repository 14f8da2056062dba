"""The phone in the patient's hand: wallets, payment codes, agreements to sign, messages."""
