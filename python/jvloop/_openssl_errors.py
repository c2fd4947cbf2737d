"""The exceptions for what OpenSSL refused to the engine, in the words of the ``ssl`` module.

OpenSSL leaves its errors in a queue, and the ``ssl`` module words what is there after a call of its own has failed, by
names that it does not publish. Asking again for what the engine was refused does not do: OpenSSL 3.6 empties the queue
first (3.0 did not) and then says that there is nothing to read. So a call is made that fails without touching OpenSSL's
queue: reading from a memory BIO that refuses.
"""

from __future__ import annotations

import ctypes
import ssl
from typing import Any

from jvloop import _openssl

_CB_READ = 0x02
_X509_V_ERR_HOSTNAME_MISMATCH = 62
_X509_V_ERR_IP_ADDRESS_MISMATCH = 64

_WORD, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_long


def _refuse_to_read(bio: int, operation: int, _1: int, _2: int, _3: int, _4: int, result: int, _5: int) -> int:
    return -1 if operation == _CB_READ else result


# Its result stands for that of the operation, and 0 or less forbids it.
_BIO_callback_fn_ex = ctypes.CFUNCTYPE(_LONG, _WORD, _INT, _WORD, ctypes.c_size_t, _INT, _LONG, _INT, _WORD)
_refusal = _BIO_callback_fn_ex(_refuse_to_read)


def _worded_by_the_ssl_module() -> ssl.SSLError:
    """The newest error in this thread's queue, which is empty then. Its number is OpenSSL's, not the ssl module's."""
    bio = ssl.MemoryBIO()
    bio.write(b"something to read")
    address = _WORD(_openssl.bio_of(bio))
    set_callback = _openssl.library().BIO_set_callback_ex
    set_callback(address, _refusal)
    try:
        bio.read()
    except ssl.SSLError as exc:
        return exc.with_traceback(None)  # it would keep the frames of all who called
    finally:
        set_callback(address, None)
    raise AssertionError("the memory BIO did not refuse")


def new_error(protocol: Any, ssl_address: int) -> ssl.SSLError:
    """The exception that the ssl module would have raised for a call on this ``SSL *``; called by Java."""
    worded = _worded_by_the_ssl_module()
    text = str(worded.args[1])
    error: ssl.SSLError
    if worded.reason == "CERTIFICATE_VERIFY_FAILED":
        code = _openssl.library().SSL_get_verify_result(_WORD(ssl_address))
        message = _verify_message(code, protocol._sslobj.server_hostname)
        what, _, where = text.rpartition(" ")
        error = ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, f"{what}: {message} {where}")
        error.verify_code, error.verify_message = code, message
    else:
        error = ssl.SSLError(ssl.SSL_ERROR_SSL, text)
    error.library, error.reason = worded.library, worded.reason
    return error


def _verify_message(code: int, hostname: str | None) -> str:
    if code == _X509_V_ERR_HOSTNAME_MISMATCH:
        return f"Hostname mismatch, certificate is not valid for '{hostname}'."
    if code == _X509_V_ERR_IP_ADDRESS_MISMATCH:
        return f"IP address mismatch, certificate is not valid for '{hostname}'."
    return str(_openssl.library().X509_verify_cert_error_string(_LONG(code)).decode())
