"""Bills that an insurer pays a part of, against the sandbox over real sockets."""
