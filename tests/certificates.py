"""Certificates for the TLS tests: trustme's, or where that does not install, the same by the openssl program.

trustme needs cryptography, which has no wheel for free-threaded CPython 3.13.
"""

from __future__ import annotations

try:
    from trustme import CA, LeafCert  # noqa: TID251  (here and nowhere else)
except ImportError:
    from openssl_certificates import CA, LeafCert  # type: ignore[assignment]

__all__ = ["CA", "LeafCert"]
