"""A hospital enters itself: its places, systems, payment institutions, merchants and plans.

Nouns: the hospital's *file* is JSON that names every secret by an environment variable or a file of
its own (`file`); the *form* says what may stand in it (`form`); `hospital_enter` writes it, all or
nothing (`entering`). Rows are made or changed by their codes and never deleted; what the file does
not name stays. The demo enters itself by the same function.
"""
