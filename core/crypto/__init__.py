"""Personal data at rest: encrypted columns, blind indexes to find them by, masks to show them by.

Invariants: a stored value names its algorithm and key, so both can change while old rows stay
readable; a value moved to another column does not decrypt; equal plaintexts differ when stored.
Search works by a keyed hash in a column of its own. It refuses, with `DecryptionError`, whatever it
cannot authenticate: a wrong key, a cut or altered text, a foreign column; never a partial value.
"""

from core.crypto.blind_index import BlindIndexField, blind_index
from core.crypto.ciphers import DecryptionError, decrypt, encrypt
from core.crypto.fields import EncryptedField
from core.crypto.keys import KeyMissing
from core.crypto.masking import mask_id, mask_name, mask_phone

__all__ = [
    "BlindIndexField",
    "DecryptionError",
    "EncryptedField",
    "KeyMissing",
    "blind_index",
    "decrypt",
    "encrypt",
    "mask_id",
    "mask_name",
    "mask_phone",
]
