"""Every test of bills also watches in which order rows are locked."""

from tests.fixtures.lock_order import lock_order

__all__ = ["lock_order"]
