"""Unmodified libraries on real sockets, on every loop."""
