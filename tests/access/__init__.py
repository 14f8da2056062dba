"""Who may see and do what: every address of the house, asked by everybody.

Nouns: a *role* is somebody with a browser or a token; a *world* holds the things two families own
(A and B); the *matrix* is the checked-in list of what each address answers each role.
"""
