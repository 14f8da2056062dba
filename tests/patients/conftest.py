"""What the tests of patients share."""

from tests.fixtures.lock_order import lock_order
from tests.fixtures.phone import gateway

__all__ = ["gateway", "lock_order"]
