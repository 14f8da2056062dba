"""What the HIS is told: written with the fact (outbox), published and pushed by one relay."""
