"""The doors of billing: parse, call one service, respond."""
