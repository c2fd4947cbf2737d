"""An authority and its certificates, made by the openssl program: as much of trustme's interface as the tests use."""

from __future__ import annotations

import ipaddress
import secrets
import ssl
import subprocess
import tempfile
from pathlib import Path


class Pem:
    """One or more objects in PEM form."""

    def __init__(self, text: str) -> None:
        self.text = text

    def bytes(self) -> bytes:
        return self.text.encode()

    def write_to_path(self, path: str) -> None:
        Path(path).write_text(self.text)


class LeafCert:
    """A certificate with its key."""

    def __init__(self, key: str, certificate: str) -> None:
        self.private_key_and_cert_chain_pem = Pem(key + certificate)
        self.private_key_pem = Pem(key)

    def configure_cert(self, context: ssl.SSLContext) -> None:
        with tempfile.NamedTemporaryFile() as file:  # the ssl module reads certificates of one's own from files only
            self.private_key_and_cert_chain_pem.write_to_path(file.name)
            context.load_cert_chain(file.name)


class CA:
    """A certificate authority."""

    def __init__(self) -> None:
        self._key, certificate = self._new_pair(
            "basicConstraints=critical,CA:TRUE",
            "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
        )
        self.cert_pem = Pem(certificate)

    def configure_trust(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(cadata=self.cert_pem.text)

    def issue_cert(self, *identities: str) -> LeafCert:
        """A certificate for host names, addresses, or mail addresses; good for servers and clients."""
        names = ",".join(f"{kind_of(identity)}:{identity}" for identity in identities)
        return LeafCert(
            *self._new_pair(
                "basicConstraints=critical,CA:FALSE",
                "keyUsage=critical,digitalSignature,keyEncipherment",
                "extendedKeyUsage=critical,clientAuth,serverAuth",
                f"subjectAltName=critical,{names}",
                issuer=self,
            )
        )

    @staticmethod
    def _new_pair(*extensions: str, issuer: CA | None = None) -> tuple[str, str]:
        """A new key and its certificate, signed by `issuer` or by itself."""
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            command += ["-noenc", "-days", "30", "-config", "/dev/null"]
            command += ["-subj", f"/O=jvloop's tests/OU={secrets.token_hex(8)}"]  # authorities are told apart by it
            command += ["-keyout", str(key), "-out", str(certificate)]
            for extension in extensions:
                command += ["-addext", extension]
            if issuer is not None:
                signer_key, signer_certificate = Path(folder, "signer-key.pem"), Path(folder, "signer.pem")
                signer_key.write_text(issuer._key)
                issuer.cert_pem.write_to_path(str(signer_certificate))
                command += ["-CA", str(signer_certificate), "-CAkey", str(signer_key)]
            subprocess.run(command, check=True, capture_output=True)
            return key.read_text(), certificate.read_text()


def kind_of(identity: str) -> str:
    """What X.509 calls a name like this."""
    if "@" in identity:
        return "email"
    try:
        ipaddress.ip_address(identity)
    except ValueError:
        return "DNS"
    return "IP"
