"""The lines of our own logs: what a stranger could use is taken out, whoever wrote it.

A library logs addresses as they were asked for, so a pay link, an ID number or a phone may stand
in any line, and in the traceback under it.
"""

from __future__ import annotations

import logging

from core.redaction import text_shown


class LineFormatter(logging.Formatter):
    """As the standard one, redacted by shape, traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return text_shown(super().format(record))
