"""Certificate mode: the serial numbers Alipay makes of issuer and serial, and the key inside.

A serial is the MD5 of the issuer's name, most specific part first, and the decimal serial number.
Of the root file only RSA certificates count; their serials are joined by an underscore.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

RSA_SIGNATURES = "1.2.840.113549.1.1."


def certificate_key(pem: str) -> PublicKeyTypes:
    """The public key of the first certificate."""
    return x509.load_pem_x509_certificates(pem.encode())[0].public_key()


@lru_cache(maxsize=64)
def certificate_sn(pem: str) -> str:
    """The serial of the first certificate of a file."""
    return _sn(x509.load_pem_x509_certificates(pem.encode())[0])


@lru_cache(maxsize=16)
def root_sn(pem: str) -> str:
    """The joined serials of the root file."""
    known = x509.load_pem_x509_certificates(pem.encode())
    rsa = (
        one for one in known if one.signature_algorithm_oid.dotted_string.startswith(RSA_SIGNATURES)
    )
    return "_".join(_sn(one) for one in rsa)


def _sn(certificate: x509.Certificate) -> str:
    # Names in a certificate run from country to person; the channel writes them the other way.
    parts = [part for rdn in reversed(certificate.issuer.rdns) for part in rdn]
    name = ",".join(f"{part.rfc4514_attribute_name}={part.value!s}" for part in parts)
    text = f"{name}{certificate.serial_number}"
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the channel's own fingerprint
