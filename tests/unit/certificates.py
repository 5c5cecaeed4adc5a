"""Certificates for tests of signatures: a person's, issued by a root, as C2PA wants them; and some that it does not."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(
    name: str, by: Issued | None = None, use: ObjectIdentifier | None = ExtendedKeyUsageOID.EMAIL_PROTECTION
) -> Issued:
    """A certificate for ``name``: a root's if nobody issues it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")]
    )
    root, now = by is None, datetime.datetime.now(datetime.timezone.utc)
    signing = by.key if by else key
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(root, None), True)
        .add_extension(x509.KeyUsage(not root, False, False, False, False, root, root, False, False), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
    )
    if use and not root:
        building = building.add_extension(x509.ExtendedKeyUsage([use]), False)
    return Issued(building.sign(signing, hashes.SHA256()), key)


def write(folder: Path, own: Issued, *chain: Issued, password: bytes = b"") -> tuple[Path, Path]:
    """``CERT.pem`` and ``KEY.pem``."""
    certificates, key = folder / "cert.pem", folder / "key.pem"
    certificates.write_bytes(b"".join(i.certificate.public_bytes(pem.Encoding.PEM) for i in (own, *chain)))
    locked = pem.BestAvailableEncryption(password) if password else pem.NoEncryption()
    key.write_bytes(own.key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, locked))
    return certificates, key
