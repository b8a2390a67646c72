"""The public keys that apps sign their JWTs with: PEM texts, as a certificate or bare."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def public_key(pem: str) -> RSAPublicKey:
    """The RSA key of a PEM text. Raises `ValueError` for anything else."""
    data = pem.encode()
    certified = "BEGIN CERTIFICATE" in pem
    key = x509.load_pem_x509_certificate(data).public_key() if certified else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("an RSA key is needed: JWTs are signed with RS256")  # noqa: TRY004  # of its content
    return key
