"""Why money moves. `base` is the registry and the Protocol, `invoice` the purpose of bills."""
