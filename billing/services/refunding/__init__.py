"""Money that goes back: returns by line, what is owed, the refunds that carry it.

A refund the channel gave back (退票) stays owed until it is reissued or handed out.
"""
