"""SM2, SM3, SM4 by their standards' vectors and against a second library; the sign text."""

from __future__ import annotations

import base64
import random

import gmssl_pyx
import pytest
from django.core.exceptions import ImproperlyConfigured
from gmssl import sm4 as other_sm4
from gmssl.sm2 import CryptSM2
from hypothesis import given
from hypothesis import strategies as st

from insurance.gateway import gm
from insurance.gateway.reading import object_read
from tests.conftest import ProofReport, ProofScale

APP_ID = "TESTAPPID0123456789ABCDEF0000000"
APP_SECRET = "TESTSECRET0123456789abcdef000000"
# GB/T 32918.5-2017, appendix A.
D = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def other(private: bytes, public: bytes) -> CryptSM2:
    """The second library; its constructor would cut a key that begins with 0 and 4."""
    found = CryptSM2(private_key=private.hex(), public_key=public.hex(), asn1=False)
    found.public_key = public.hex()
    return found


def test_standard_vectors() -> None:
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert gm.sm4_encrypt(block, block)[:16].hex() == "681edf34d206965e86b3e94f536e4246"
    digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert gmssl_pyx.sm3_hash(b"abc").hex() == digest
    assert gm.public_key_of(D) == PUBLIC
    gm.sm2_verify(PUBLIC, "message digest", base64.b64encode(SIGNATURE).decode())


def test_the_check_value_of_the_envelope() -> None:
    key = gm.session_key(APP_ID, APP_SECRET)
    data = {"payOrdId": "ORD1", "orgCodg": "H00000000001"}
    assert key == b"7FAD1CB1655C0008"
    assert gm.data_encrypt(key, gm.data_text(data)) == (
        "3A887CC68A9BF47918074E96D6E51C8344A9CADFC2D76EE70C16C19192D31C40"
        "50DD10229041B9C50F0113531769C91F"
    )
    outer = {
        "version": "2.0.1", "appId": APP_ID, "encType": "SM4", "signType": "SM2",
        "timestamp": "1700000000000", "encData": "X", "signData": "Y", "extra": "Z", "empty": "",
    }  # fmt: skip
    assert gm.sign_text(outer, data, APP_SECRET) == (
        f'appId={APP_ID}&data={{"orgCodg":"H00000000001","payOrdId":"ORD1"}}&encType=SM4'
        f"&signType=SM2&timestamp=1700000000000&version=2.0.1&key={APP_SECRET}"
    )


def test_empties_are_left_out_at_every_depth_and_numbers_keep_their_digits() -> None:
    data = object_read(
        '{"b": 4.50, "a": {"z": null, "y": [], "x": "", "w": 1}, "名": true}'.encode()
    )
    assert gm.data_text(data) == '{"a":{"w":1},"b":4.50,"名":true}'
    assert gm.data_text(gm.stringified(data)) == '{"a":{"w":"1"},"b":"4.50","名":"true"}'


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.booleans()))
def test_what_is_encrypted_opens_to_the_same_text(data: dict[str, object]) -> None:
    key = gm.session_key(APP_ID, APP_SECRET)
    text = gm.data_text(gm.stringified(data))
    assert gm.data_decrypt(key, gm.data_encrypt(key, text)).decode() == text


@pytest.mark.proof("gm")
def test_both_libraries_agree(proof_scale: ProofScale, proof_report: ProofReport) -> None:
    source = random.Random(20261120)
    messages = proof_scale(1_000, least=20)
    agreed = 0
    for _message in range(messages):
        private = source.randrange(1, gm._N - 1).to_bytes(32, "big")
        public = gm.public_key_of(private)
        text = source.randbytes(source.randrange(1, 400)).hex()
        second = other(private, public)
        ours = base64.b64decode(gm.sm2_sign(private, text)).hex()
        assert second.verify_with_sm3(ours, text.encode())
        theirs = second.sign_with_sm3(text.encode())
        gm.sm2_verify(public, text, base64.b64encode(bytes.fromhex(theirs)).decode())
        key = source.randbytes(16)
        cipher = other_sm4.CryptSM4()
        cipher.set_key(key, other_sm4.SM4_ENCRYPT)
        assert cipher.crypt_ecb(text.encode()) == gm.sm4_encrypt(key, text.encode())
        agreed += 1
    proof_report("gm_agreement", agreed, messages, agreed == messages)


@pytest.mark.parametrize("signature", [
    "", "not base64!", base64.b64encode(SIGNATURE[:63]).decode(),
    base64.b64encode(bytes(64)).decode(), base64.b64encode(b"\xff" * 64).decode(),
    base64.b64encode(SIGNATURE[32:] + SIGNATURE[:32]).decode(),
])  # fmt: skip
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(gm.SignatureRefused):
        gm.sm2_verify(PUBLIC, "message digest", signature)


def test_a_signature_is_over_this_very_text() -> None:
    good = base64.b64encode(SIGNATURE).decode()
    with pytest.raises(gm.SignatureRefused):
        gm.sm2_verify(PUBLIC, "message digesT", good)


def test_keys_come_with_and_without_the_byte_before_them() -> None:
    def encoded(key: bytes) -> str:
        return base64.b64encode(key).decode()

    assert gm.private_key_read(encoded(b"\x00" + D)) == gm.private_key_read(encoded(D)) == D
    assert gm.public_key_read(encoded(b"\x04" + PUBLIC)) == PUBLIC
    assert gm.public_key_read(encoded(PUBLIC)) == PUBLIC
    for wrong in ("?", encoded(D[:31]), encoded(bytes(32)), encoded(b"\xff" * 32)):
        with pytest.raises(ImproperlyConfigured):
            gm.private_key_read(wrong)
    for wrong in ("?", encoded(PUBLIC[:63]), encoded(bytes(64)), encoded(b"\x02" + PUBLIC)):
        with pytest.raises(ImproperlyConfigured):
            gm.public_key_read(wrong)


def test_a_public_key_that_begins_with_04_is_read_whole() -> None:
    source = random.Random(4)
    while True:
        private = source.randrange(1, gm._N - 1).to_bytes(32, "big")
        public = gm.public_key_of(private)
        if public[0] == 4:
            break
    read = gm.public_key_read(base64.b64encode(public).decode())
    gm.sm2_verify(read, "x", gm.sm2_sign(private, "x"))


@pytest.mark.parametrize("text", ["zz", "00", "", "AB" * 16, "A"])
def test_what_our_key_does_not_open_is_refused(text: str) -> None:
    with pytest.raises(gm.CipherRefused):
        gm.data_decrypt(gm.session_key(APP_ID, APP_SECRET), text)
