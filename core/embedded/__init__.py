"""PostgreSQL and Valkey from their wheels: the default servers of a fresh machine.

Nouns: a `Server` (PostgreSQL or Valkey) with one directory under `var/`; a `Lease`, a shared file
lock held by every process that uses a server. The last process to give its lease back stops the
server; a killed process loses its lease with its life, so nothing counts wrong.

Invariants: addresses are derived from the directory alone, so importing settings starts nothing.
Only Unix sockets are opened, never a network port.

Refuses: to exist in production, and to replace what `DATABASE_URL` or `CELERY_BROKER_URL` name.
"""
