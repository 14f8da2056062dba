"""The insurance pages of patients: the code, the permission for a visit, rights and filings,
the family's accounts.

Every page is about a person the reader may identify; anybody else's number is no page of theirs.
"""
