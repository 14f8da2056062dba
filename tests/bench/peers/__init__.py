"""What others give for the same work, in the same run. Each has its own database and settings."""
