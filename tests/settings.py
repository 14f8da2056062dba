"""The settings under test: the same module, read in the environment `test`."""

import os

# Before the import, since that module and the embedded servers' addresses both read it.
os.environ["PORTAL_ENV"] = "test"

from config.catalogue import catalogue_compile
from config.settings import *  # noqa: F403

# Django reads the catalogue while it starts, which is before any conftest.
catalogue_compile()
