"""How a message leaves the house: one adapter per way, none of which reads a model.

A messenger is given an address, short texts and our own key, and says whether the message is SENT,
may be tried AGAIN, or is REFUSED for good. The key travels along, so that a message whose answer
was lost and which is sent again reaches the phone once.
"""
