"""What channels tell unasked: kept as it came, proved genuine, applied by the apply function."""
