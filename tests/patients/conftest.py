"""What the tests of patients share."""

from tests.fixtures.phone import gateway  # noqa: F401
