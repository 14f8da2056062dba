"""What can go wrong with an embedded server, in words an operator can act on."""


class EmbeddedServerError(RuntimeError):
    """An embedded server could not be started, reached or stopped."""
