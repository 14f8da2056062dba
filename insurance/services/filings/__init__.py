"""Filing at the insurer (备案): said once, asked about until known, taken back.

`rights_ask` learns who is insured where and what stands; `away_file` and `chronic_file` file;
`filing_end` takes back; `filing_look` learns what became of a call without an answer, and where
the insurer never says it, people do (`filing_doubt_end`). Nothing here moves money: what is filed
shows in the next price.
"""

from insurance.services.filings.asking import rights_ask
from insurance.services.filings.deciding import (
    filing_doubt_decide,
    filing_doubt_end,
    filing_doubt_ready,
)
from insurance.services.filings.ending import filing_end
from insurance.services.filings.looking import filing_look, filings_due
from insurance.services.filings.sending import ChronicWish, away_file, chronic_file

__all__ = [
    "ChronicWish",
    "away_file",
    "chronic_file",
    "filing_doubt_decide",
    "filing_doubt_end",
    "filing_doubt_ready",
    "filing_end",
    "filing_look",
    "filings_due",
    "rights_ask",
]
