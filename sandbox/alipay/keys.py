"""Certificates of the vendor and of its merchants, and the serial numbers made of them."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.wechat_pay.keys import certificate_text, certificate_window

ROOT, ISSUER = "Sandbox Certification Authority R1", "Sandbox Certification Authority Class 2 R1"


def certificate_make(
    common_name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey
) -> str:
    """A certificate whose issuer has all the parts that a serial is made of."""
    start, end = certificate_window()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate_text(certificate)


def certificate_serial(pem: str) -> str:
    """MD5 of CN, OU, O and C of the issuer and the decimal serial number."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    known = {part.oid: part.value for part in certificate.issuer}
    names = (
        ("CN", NameOID.COMMON_NAME),
        ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("O", NameOID.ORGANIZATION_NAME),
        ("C", NameOID.COUNTRY_NAME),
    )
    text = ",".join(f"{short}={known[oid]!s}" for short, oid in names)
    return hashlib.md5(f"{text}{certificate.serial_number}".encode()).hexdigest()  # noqa: S324


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
