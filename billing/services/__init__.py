"""What billing does, a function per verb: `invoice_drive` leads, `apply` ends every answer.

Each opens its own transaction; none calls out inside one.
"""
