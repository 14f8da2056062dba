"""The mobile-pay centre (医保移动支付中心): bills paid by insurance and wallet in one confirmation.

Its bodies are camelCase inside an encrypted and signed envelope; amounts are yuan. `orders` makes
the calls 6201, 6202, 6203, 6301 and 6401, `states` says what an order's status means, `results`
reads it and 6302. An answer whose signature is not the centre's is believed in nothing.
"""

from insurance.gateway.mobile.gateway import UNANSWERED, MobileCentre

__all__ = ["UNANSWERED", "MobileCentre"]
