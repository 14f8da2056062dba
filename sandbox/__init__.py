"""The counterparties of the hospital, as a Django project of their own; imports nothing of the portal."""
