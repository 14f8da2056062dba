"""The counterparties of the hospital: a Django project that imports nothing of the portal."""
