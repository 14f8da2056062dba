"""The server that receives the notices of a counterparty, and a look at every call's trace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.forms.models import model_to_dict

from core.models import OutboundCall
from tests.contracts import alipay_samples
from tests.sandbox.wechat_client import inbox

__all__ = ["inbox"]

# Whoever pays, signs in or is insured, as the counterparties of the sandbox write them.
PERSONAL = {
    "an openid": re.compile(r"(?<![\w-])o(?=[\w-]*\d)[\w-]{27}(?![\w-])"),
    "a wallet of Alipay": re.compile(r"(?<!\w)2088\d{12}(?!\w)"),
    "an ID number": re.compile(r"(?<!\w)[1-6]\d{5}(?:19|20)\d{9}[\dX](?!\w)"),
    "a mobile number": re.compile(r"(?<!\w)1[3-9]\d{9}(?!\w)"),
    "a code to sign in": re.compile(r"(?:^|[?&\"])code=(?!\*\*\*)[^&\"]+&?"),
    "a payment code": re.compile(r"(?<!\w)(?:1[0-5]|2[5-9]|30)\d{16}(?!\w)"),
}
SELLERS = ("2088101110000001", alipay_samples.PID, alipay_samples.OTHER_PID)


@pytest.fixture(autouse=True)
def nobody_shown(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test: the trace of no call it really made shows who it was about."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    yield
    for call in OutboundCall.objects.all():
        shown = json.dumps(model_to_dict(call), ensure_ascii=False, default=str)
        for seller in SELLERS:
            shown = shown.replace(seller, "")
        for what, form in PERSONAL.items():
            assert not form.search(shown), (what, call.counterparty, call.operation, shown)
