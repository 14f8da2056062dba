"""`make bench`: how fast the portal is, beside a floor measured in the same run.

Nouns. A *figure* is a module of `figures` with `measure(bench) -> list[Case]`; a *contender* does
one kind of work over a number of connections, one process each (`crew`); *rounds* let contenders
take turns in short windows, so that whatever else the machine does meets them alike; the *floor* is
the same durable work in raw prepared SQL on the portal's own tables, indexes and triggers.

Only ratios of one run mean anything. A miss is reported, never asserted: `var/bench.json` has it.
"""
