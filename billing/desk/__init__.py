"""The window (窗口): what cashiers, refund clerks and reviewers work with, inside the admin.

Nouns: the *desk* is one search box and what it leads to; a *patient's page* shows identity, sums,
bills and who pays; a *bill's page* the request, the money rows, the postings, the calls and the
course; the *queue* the questions that wait for a person. Invariants: every look at a patient leaves
an audit row; personal data is masked until it is asked for with a reason; a number that makes money
move is fixed when its form is rendered, so a form sent twice acts once. It refuses to change a row
of money: it only calls services. Each page needs a constant number of statements.
"""
