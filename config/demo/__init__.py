"""The demo hospital: one machine, real processes, real protocols, made-up people.

`hospital` loads places, staff and merchants; `people` the patients with their wallets and signed
agreements; `processes` starts and stops what runs; `announce` tells people and machines where.
Everything is idempotent: a demo started again finds its data.
"""
