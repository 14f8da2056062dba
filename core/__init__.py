"""The floor every app stands on; it imports no app.

Nouns: `Actor`, `StateChange`, `OutboundCall`, `AuditEvent`, `JobRun`, the
abstract `ReviewCase`, and values: money in fen, business numbers, instants of one clock.

Invariants: a status changes only by `states.transition`, on a locked row, with its trace in the
same statement; evidence rows are append-only by trigger; personal data is encrypted at rest and
redacted in logs; an outside call has timeouts and one trace; nothing but `clock` knows the time.

It refuses: a network call inside a transaction, an amount that is not exact, a decision by whoever
opened the case, a clock that goes back, and, in production, missing keys, failpoints and a movable
clock.
"""
