"""The payer at a pay link without a browser: read the bill, choose a way, follow where it leads."""

from __future__ import annotations

import re

import httpx

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile/15E148"


class Payer:
    """One phone with its cookies."""

    def __init__(self, link: str) -> None:
        self.link = link
        self.client = httpx.Client(timeout=30, trust_env=False, headers={"User-Agent": PHONE})

    def read(self, page: str = "") -> str:
        answer = self.client.get(f"{self.link}{page}")
        assert answer.status_code == httpx.codes.OK, (page, answer.status_code)
        return answer.text

    def choose(self, way: str = "wechat_pay.h5") -> str:
        """Press the button of a way; the address it leads to."""
        form = self.read("/pay")
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form))
        answer = self.client.post(f"{self.link}/pay", data={**fields, "way": way})
        assert answer.is_redirect, (answer.status_code, answer.text)
        return answer.headers["location"]

    def result(self) -> str:
        """The words of the result page's head: 已支付, 处理中, 未支付."""
        [head] = re.findall(r"<h1[^>]*>\s*(.*?)\s*</h1>", self.read("/result"), re.DOTALL)
        return re.sub(r"<[^>]+>|\s+", "", head)
