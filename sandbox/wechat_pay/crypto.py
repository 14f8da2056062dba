"""The vendor's cryptography: v3 signatures and sealed notices, v2 signs and request info."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "WECHATPAY2-SHA256-RSA2048"
AES_BLOCK_BITS = 128


@lru_cache(maxsize=64)
def private_key(pem: str) -> RSAPrivateKey:
    """A private key, parsed once per text: parsing costs more than signing."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key is expected")
    return key


def rsa_sign(pem: str, text: bytes) -> str:
    return base64.b64encode(private_key(pem).sign(text, PKCS1v15(), hashes.SHA256())).decode()


def rsa_verify(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def oaep_open(pem: str, text: object) -> str:
    """What a merchant sealed with our public key (OAEP, SHA-1); empty for anything else."""
    scheme = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    try:
        sealed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        return private_key(pem).decrypt(sealed, scheme).decode()
    except ValueError:
        return ""


def lines(*parts: str | bytes) -> bytes:
    """The text of a v3 signature: every part a line, each ended, the last one too."""
    raw = (part if isinstance(part, bytes) else part.encode() for part in parts)
    return b"".join(part + b"\n" for part in raw)


def resource_seal(api_v3_key: str, original_type: str, plain: dict[str, Any]) -> dict[str, str]:
    """The encrypted resource of a v3 notice."""
    nonce, kind = secrets.token_hex(6), original_type
    cipher = AESGCM(api_v3_key.encode())
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = cipher.encrypt(nonce.encode(), text, kind.encode())
    return {
        "original_type": kind,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": kind,
        "nonce": nonce,
    }


def v2_sign(fields: dict[str, str], key: str, sign_type: str = "MD5") -> str:
    """Sorted `k=v` of the fields that are not empty, the key last; MD5 or HMAC, upper case."""
    pairs = [f"{k}={v}" for k, v in sorted(fields.items()) if k != "sign" and v != ""]
    text = "&".join([*pairs, f"key={key}"]).encode()
    if sign_type == "HMAC-SHA256":
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text).hexdigest().upper()  # noqa: S324 - the vendor's protocol


def req_info_seal(text: str, key: str) -> str:
    """The sealed part of a v2 refund notice: AES-256-ECB under the MD5 of the API key."""
    padder = padding.PKCS7(AES_BLOCK_BITS).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    secret = hashlib.md5(key.encode()).hexdigest().lower().encode()  # noqa: S324 - as above
    encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()  # noqa: S305 - as above
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def fingerprint(data: Any) -> str:
    """A digest that tells the same parameters from other ones."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
