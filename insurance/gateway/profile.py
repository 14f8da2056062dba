"""What a region's gateway is told besides the body: its address and its headers.

Two styles are known. SIGNED_BASE (Guangdong): one base address, the transaction's number as the
last part of the path, and headers signed with a shared secret. PATH_KEY (Hebei, Chongqing): a path
per transaction, whose odd spellings are the real ones, and one key header. Paths that a region has
beyond these, and what its platform says in words of its own (`nothing_texts`), are its data.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from django.core.exceptions import ImproperlyConfigured

from insurance.gateway.base import GatewayStyle, RegionProfile

NONCE_CHARACTERS = 32
# Named secrets a region needs, by its style; the mobile-pay centre's four come on top.
STYLE_SECRETS: Mapping[GatewayStyle, tuple[str, ...]] = MappingProxyType({
    GatewayStyle.SIGNED_BASE: ("paas_id", "secret_key"),
    GatewayStyle.PATH_KEY: ("api_key",),
})  # fmt: skip
MOBILE_SECRETS = (
    "mobile_app_id",
    "mobile_app_secret",
    "mobile_private_key",
    "mobile_platform_key",
)
# The platform names this state in words only. These were seen or are what its developers say;
# a region adds its own.
NOTHING_TEXTS = ("不存在", "未找到", "未查询到", "查无", "无需冲正", "无可冲正", "没有可冲正")

PATHS: Mapping[str, str] = MappingProxyType({
    "1101": "fsiPsnInfoService/queryPsnInfo",
    "1162": "hsecfc/localQrCodeQuery",
    "2001": "fsiPsnPriorityInfoService/queryPsnPriorityInfo",
    "2201": "outpatientDocInfoService/outpatientRregistration",
    "2202": "outpatientDocInfoService/outpatientRegistrationCancel",
    "2203A": "outpatientDocInfoService/outpatientMdtrtinfoUpA",
    "2204": "outpatientDocInfoService/outpatientFeeListUp",
    "2205": "outpatientDocInfoService/outpatientFeeListUpCancel",
    "2206": "outpatientSettleService/preSettletment",
    "2207": "outpatientSettleService/saveSettletmentV2",
    "2208": "outpatientSettleService/cancleSettletment",
    "2601": "reverseService/revsMethod",
    "3101": "riskConService/beforeAnalyze",
    "3102": "riskConService/courseAnalyze",
    "3201": "ybSettlementStmtService/stmtTotal",
    "3202": "ybSettlementStmtService/stmtDetail",
    "5203": "fsiIntegratedQueryService/querySetlInfo",
    "9001": "signInSignOutService/signIn",
    "9101": "fileupload/upload",
    "9102": "fileupload/download",
    "5301": "fsiIntegratedQueryService/queryPsnOpspReg",
    # Family accounts have no national number; a region that takes them names its own path.
    "2581": "famAcctService/saveFamAcct",
    "2582": "famAcctService/cancelFamAcct",
    "5381": "famAcctService/queryFamAcct",
})  # fmt: skip


def secret_get(profile: RegionProfile, name: str) -> str:
    """A secret that must be there."""
    value = profile.secrets.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"insurance region {profile.area}: secret {name} is missing")
    return value


def gateway_url(profile: RegionProfile, code: str) -> str:
    """Where a transaction is sent."""
    base = profile.base_url.rstrip("/")
    if profile.style is GatewayStyle.SIGNED_BASE:
        return f"{base}/{code}"
    path = profile.paths.get(code) or PATHS.get(code)
    if not path:
        raise ImproperlyConfigured(f"insurance region {profile.area}: no path for {code}")
    return f"{base}/fsi/api/{path}"


def gateway_headers(profile: RegionProfile, *, at: datetime, nonce: str = "") -> dict[str, str]:
    """Content type and what proves that it is us."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
    if profile.style is GatewayStyle.PATH_KEY:
        return headers | {"apikey": secret_get(profile, "api_key")}
    timestamp = str(int(at.timestamp()))
    nonce = nonce or secrets.token_hex(NONCE_CHARACTERS // 2)
    key = secret_get(profile, "secret_key")
    return headers | {
        "x-tif-paasid": secret_get(profile, "paas_id"),
        "x-tif-timestamp": timestamp,
        "x-tif-nonce": nonce,
        "x-tif-signature": header_signature(timestamp, key, nonce),
    }


def header_signature(timestamp: str, key: str, nonce: str) -> str:
    """SHA-256 of timestamp, secret, nonce and timestamp again, in hex."""
    return hashlib.sha256(f"{timestamp}{key}{nonce}{timestamp}".encode()).hexdigest()


def says_nothing_there(profile: RegionProfile, message: str) -> bool:
    """Whether a business refusal means "there is no such settlement"."""
    return any(text in message for text in (*NOTHING_TEXTS, *profile.nothing_texts))
