"""A hospital of a million patients and five million bills, and whoever opens its pages.

Nouns. The *town* is how many people, accounts and bills there are, and when it was built; a
*model* is a bill that the services made and the triggers let through; *copies* are its rows once
more under other numbers, with triggers at rest; a *visit* is one request of one person. ID numbers
and phones are written by the fields of the models themselves, so that they lie encrypted and are
found by their blind indexes as in a hospital.

Left out, for disk: lines, postings, events and the trail of bills of four patients in five (people
who are measured are the fifth), calls to channels, audit rows of the past, parts paid by insurance,
bills under review.
"""
