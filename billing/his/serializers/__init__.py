"""The shapes of the contract: what is taken, and what is answered."""
