"""The names of this machine for itself: only there may a line go without TLS."""

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
