"""A certificate authority of the tests: its own certificate, a server's, and those of clients with encrypted keys."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_PEM: Final = serialization.Encoding.PEM
_PKCS8: Final = serialization.PrivateFormat.PKCS8


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates by a key that it alone has."""

    key: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)
    name: x509.Name = field(default_factory=lambda: _named("an authority of the tests"))

    @property
    def certificate(self) -> bytes:
        """Its own (PEM): what the others are checked by."""
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        return self._signed(self._builder(self.name, self.key, ca=True).add_extension(usage, critical=True))

    def server(self) -> bytes:
        """Key and certificate of a server on loopback, and this authority's (PEM)."""
        key = _key()
        hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        names = x509.SubjectAlternativeName(hosts)
        own = self._signed(self._builder(_named("127.0.0.1"), key, ca=False).add_extension(names, critical=False))
        return key.private_bytes(_PEM, _PKCS8, serialization.NoEncryption()) + own + self.certificate

    def client(self, user: str, password: str) -> tuple[bytes, bytes]:
        """A client's certificate, which says who it is, and its key, which that password opens (PEM both)."""
        key = _key()
        locked = key.private_bytes(_PEM, _PKCS8, serialization.BestAvailableEncryption(password.encode()))
        return self._signed(self._builder(_named(user), key, ca=False)), locked

    def _builder(self, subject: x509.Name, key: rsa.RSAPrivateKey, *, ca: bool) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self.key, hashes.SHA256()).public_bytes(_PEM)


def certificates(folder: Path) -> Authority:
    """A new authority; its certificate in ``ca.pem``, a server's key and certificate in ``server.pem``."""
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.certificate)
    (folder / "server.pem").write_bytes(authority.server())
    return authority
