"""The national interface (医保信息平台, FSI): each transaction as a Call, in our words and fen.

`people`, `visits`, `lines`, `settlements`, `advice`, `filings`, `statements` and `sessions` make
calls; `Nhsa` says them. What an unanswered call allows is declared here and nowhere else.
"""

from insurance.gateway.nhsa.gateway import UNANSWERED, Nhsa

__all__ = ["UNANSWERED", "Nhsa"]
