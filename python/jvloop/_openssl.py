"""Finds OpenSSL where this interpreter's ``ssl`` module has it, for the engine to call.

A process may hold several copies of OpenSSL. The right one is that which the ``_ssl`` extension module was linked with,
and the dynamic linker knows it: a symbol looked up in that module is looked up in the libraries it depends on.
"""

from __future__ import annotations

import ctypes
import functools
import os
import ssl
from typing import Any

_NAMES = (
    *("SSL_read", "SSL_write", "SSL_do_handshake", "SSL_shutdown"),
    *("SSL_get_error", "SSL_has_pending", "SSL_is_server"),
    *("SSL_get_rbio", "SSL_get_wbio", "SSL_get_SSL_CTX", "SSL_get_ex_data"),
    *("BIO_ctrl", "BIO_write", "BIO_read", "BUF_MEM_new", "BUF_MEM_free", "ERR_clear_error"),
)
_NAMES_FOR_ERRORS = ("BIO_set_callback_ex", "SSL_get_verify_result", "X509_verify_cert_error_string")
_HEADER = object.__basicsize__
_WORD = ctypes.sizeof(ctypes.c_void_p)


class OpenSslNotReachableError(RuntimeError):
    """The engine cannot call the OpenSSL of this interpreter; the message says why."""


@functools.cache
def library() -> ctypes.CDLL:
    """OpenSSL. Raises OpenSslNotReachableError."""
    import _ssl

    if not ssl.OPENSSL_VERSION.startswith("OpenSSL "):
        raise OpenSslNotReachableError(f"Python's ssl module is built on {ssl.OPENSSL_VERSION}")
    path = getattr(_ssl, "__file__", None)
    if path is None:
        raise OpenSslNotReachableError("OpenSSL is linked into the interpreter")
    try:
        found = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        for name in (*_NAMES, *_NAMES_FOR_ERRORS):
            getattr(found, name)
    except (OSError, AttributeError) as exc:
        raise OpenSslNotReachableError(f"OpenSSL was not found in {path}: {exc}") from None
    found.SSL_get_rbio.restype = ctypes.c_void_p
    found.X509_verify_cert_error_string.restype = ctypes.c_char_p
    return found


def addresses() -> dict[str, int]:
    """Addresses of the functions that the engine calls. Raises OpenSslNotReachableError."""
    return {name: ctypes.cast(getattr(library(), name), ctypes.c_void_p).value or 0 for name in _NAMES}


def bio_of(memory_bio: ssl.MemoryBIO) -> int:
    """The address of OpenSSL's BIO in a MemoryBIO; ssl_offset() checks that it is there."""
    return ctypes.c_size_t.from_address(id(memory_bio) + _HEADER).value


def ssl_offset() -> int:
    """Offset in bytes of the ``SSL *`` in an ``_ssl._SSLSocket``. Raises OpenSslNotReachableError.

    It stands before the reference to the context and behind the one to a socket, which is NULL here; the engine checks
    each object that it is given (TlsMethods.java).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming = ssl.MemoryBIO()
    # The object of the extension module, behind the class that Python's ssl module puts around it.
    wrapped: Any = context.wrap_bio(incoming, ssl.MemoryBIO(), server_hostname="jvloop")
    sslsocket = wrapped._sslobj
    count = type(sslsocket).__basicsize__ // _WORD
    words = list((ctypes.c_size_t * count).from_address(id(sslsocket)))
    first = _HEADER // _WORD
    at = words.index(id(context), first) if id(context) in words[first:] else 0
    if at != first + 2 or words[first] != 0 or words[first + 1] == 0:
        raise OpenSslNotReachableError("this interpreter keeps OpenSSL's SSL where jvloop does not find it")
    if library().SSL_get_rbio(ctypes.c_void_p(words[at - 1])) != bio_of(incoming):
        raise OpenSslNotReachableError("this interpreter keeps OpenSSL's BIO where jvloop does not find it")
    return (at - 1) * _WORD
