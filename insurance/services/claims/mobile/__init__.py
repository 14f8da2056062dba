"""The second route of a claim: through the mobile-pay centre, paid on the insured's own phone.

6201 and 6202 price it, the wallet's mixed order settles it, 6301 says how it stands, 6203 takes it
back and 6401 takes away what nobody confirmed. A claim goes one route for its whole life; nothing
here says a word of the hall's 2206, 2207 or 2208.
"""
