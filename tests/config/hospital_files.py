"""A hospital's file with the keys beside it, as docs/deployment.md shows one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.core.management import call_command


@dataclass(frozen=True)
class Pair:
    private: str
    public: str
    certificate: str


@cache
def pair(number: int) -> Pair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"hospital {number}")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return Pair(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        key.public_key()
        .public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        certificate.public_bytes(pem).decode(),
    )


def hospital() -> dict[str, Any]:
    """A small hospital, complete."""
    return {
        "campuses": [
            {"code": "main", "name": "市第二医院", "institution_code": "H33030000007"},
            {"code": "west", "name": "市第二医院西院", "window_text": "1 号窗口"},
        ],
        "his_clients": [
            {
                "code": "his",
                "name": "市第二医院 HIS",
                "scopes": ["read", "write", "money"],
                "addresses": ["10.1.0.0/16"],
                "campuses": ["main", "west"],
                "events_url": "https://his.hospital.example/events",
                "events_secret": {"env": "HIS_EVENTS_SECRET"},
            }
        ],
        "institutions": [
            {
                "code": "tenpay",
                "name": "财付通支付科技有限公司",
                "licence_no": "Z2000444000011",
                "agreement_from": "2026-01-01",
                "agreement_until": "2026-12-31",
            }
        ],
        "merchants": [
            {
                "channel": "wechat_pay",
                "merchant_no": "1611111111",
                "institution": "tenpay",
                "campus": "main",
                "app_id": "wx1111111111111111",
                "base_url": "https://pay.channel.example",
                "secrets": {
                    "merchant_private_key": {"file": "keys/apiclient_key.pem"},
                    "merchant_serial": "3A5F",
                    "platform_public_key": {"file": "keys/pub_key.pem"},
                    "platform_public_key_id": "PUB_KEY_ID_1",
                    "api_v3_key": {"env": "WECHAT_V3_KEY"},
                    "api_v2_key": {"env": "WECHAT_V2_KEY"},
                    "client_cert": {"file": "keys/apiclient_cert.pem"},
                    "client_key": {"file": "keys/apiclient_key.pem"},
                    "base_url_tls": "https://pay.channel.example",
                },
                "plans": [
                    {
                        "plan_id": "120001",
                        "name": "先诊疗后付费",
                        "single_fen": 50_000,
                        "daily_fen": 250_000,
                        "daily_count": 5,
                        "hours_from": "07:00",
                        "hours_until": "22:00",
                    }
                ],
            }
        ],
    }


ENVIRONMENT = {
    "HIS_EVENTS_SECRET": "an events secret of this hospital",
    "WECHAT_V3_KEY": "0123456789abcdef0123456789abcdef",
    "WECHAT_V2_KEY": "fedcba9876543210fedcba9876543210",
}


@dataclass(frozen=True)
class Desk:
    """Where an administrator sits: a folder with the file and its keys."""

    folder: Path

    def keys(self) -> None:
        keys = self.folder / "keys"
        keys.mkdir()
        (keys / "apiclient_key.pem").write_text(pair(1).private)
        (keys / "apiclient_cert.pem").write_text(pair(1).certificate)
        (keys / "other_cert.pem").write_text(pair(2).certificate)
        (keys / "pub_key.pem").write_text(pair(2).public)
        (keys / "nonsense.pem").write_text("-----BEGIN PRIVATE KEY-----\nnot-a-key\n")

    def load(self, data: Any, *args: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, the JSON answer, and what people were told."""
        path = self.folder / "hospital.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf8")
        out, said = StringIO(), StringIO()
        code = 0
        try:
            call_command("load_hospital", str(path), *args, "--json", stdout=out, stderr=said)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, json.loads(out.getvalue()), said.getvalue()
