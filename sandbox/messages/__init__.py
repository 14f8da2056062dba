"""The receivers of messages: a WeChat official account and an SMS gateway, with their wire shapes.

Nouns: access token, message, OAuth code.
Invariants: a message is kept exactly as it came; a sender's own number (`client_msg_id`, `out_id`)
stands for one message however often it is sent.
Refuses: a wrong secret or signature, an expired token, an openid no wallet has, a phone number
that is none — each with the vendor's own code.
"""
