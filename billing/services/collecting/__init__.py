"""From a wish to collect to a tender in flight: requests, the tender chain, captures, pay links."""
