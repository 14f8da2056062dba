"""Signing in: a phone and a code that was sent to it, or a wallet that vouches for its user.

Nouns: phone code, account, wallet identity, door (a wallet's OAuth). Invariants: sign-in and
sign-up are one flow with one set of answers, so nobody learns whether a phone is known; a code
works once, in the browser that asked for it, for minutes, and dies of five wrong guesses; limits
are counted in the database, by phone and by address; a wallet's answer counts once, for the state
this very browser was given. Refuses: an identity that belongs to somebody else.

The library (allauth) has a code flow of its own. It is not used: it keeps phone and code legibly
in the session, counts guesses there, where parallel ones are lost, and limits by a cache that each
process has for itself. Its WeChat provider calls around our log of calls and keeps tokens nobody
needs. What is used of it is the second factor of staff.
"""
