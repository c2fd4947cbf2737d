"""The laws of the design that Python can check."""
