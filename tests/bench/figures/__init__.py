"""Every figure by name: the dotted path of a module with `measure(cluster) -> list[Case]`.

Figures are imported when they are measured: by then Django knows the bench's database.
"""

FIGURES = {
    "journal_post": "tests.bench.figures.journal_post",
    "balance": "tests.bench.figures.balance",
    "collect": "tests.bench.figures.collect",
    "claim": "tests.bench.figures.claim",
    "statements": "tests.bench.figures.statements",
    "visits": "tests.bench.figures.visits",
    "pages": "tests.bench.figures.pages",
}
