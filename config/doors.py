"""The wallets a patient may sign in with: real ones in production, the sandbox's elsewhere."""

from __future__ import annotations

import os
from pathlib import Path


def sign_in_doors(
    *, production: bool, sandbox_url: str, keys: Path | None
) -> dict[str, dict[str, str]]:
    """`settings.SIGN_IN_DOORS`. A door that lacks anything it needs is not offered."""
    of = os.environ.get
    doors = {
        "wechat": {
            "app_id": of("WECHAT_APP_ID", "" if production else "wx5a0db0c0ffee0001"),
            "secret": of("WECHAT_APP_SECRET", "" if production else "sandbox-wechat-app-secret"),
            "authorize_url": of(
                "WECHAT_AUTHORIZE_URL",
                ("https://open.weixin.qq.com" if production else f"{sandbox_url}/wechat")
                + "/connect/oauth2/authorize",
            ),
            "token_url": of(
                "WECHAT_TOKEN_URL",
                ("https://api.weixin.qq.com" if production else f"{sandbox_url}/wechat")
                + "/sns/oauth2/access_token",
            ),
        },
        "alipay": {
            # A JSON file with app_id, app_private_key and alipay_public_key.
            "keys_file": of("ALIPAY_LOGIN_KEYS_FILE", str(keys / "alipay.json") if keys else ""),
            "authorize_url": of(
                "ALIPAY_AUTHORIZE_URL",
                ("https://openauth.alipay.com" if production else f"{sandbox_url}/alipay")
                + "/oauth2/publicAppAuthorize.htm",
            ),
            "gateway_url": of(
                "ALIPAY_LOGIN_URL",
                ("https://openapi.alipay.com" if production else f"{sandbox_url}/alipay/login")
                + "/gateway.do",
            ),
        },
    }
    return {code: config for code, config in doors.items() if all(config.values())}
