"""9101 and 9102: files in and out; a download is the zip itself, not JSON."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Any

from django.http import HttpResponse

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import StoredFile
from sandbox.nhsa.numbers import file_number, moment
from sandbox.nhsa.refusal import Refused

LIFE = timedelta(days=7)
SIZE_MAX = 16 * 1024 * 1024


def upload(call: Call) -> Output:
    """9101"""
    data = call.data("fsUploadIn")
    _own(call, data)
    content = _bytes(data.data.get("in"))
    kept = file_keep(call, data.need("filename", 120), content)
    return {
        "file_qury_no": kept.file_qury_no,
        "filename": kept.filename,
        "fixmedins_code": call.institution.code,
        "dld_endtime": moment(kept.until),
    }


def _bytes(value: Any) -> bytes:
    """Base64 as most serialisers write bytes, or the array of numbers as some do."""
    try:
        if isinstance(value, str) and value:
            content = base64.b64decode(value, validate=True)
        elif isinstance(value, list) and value:
            content = bytes(one & 0xFF if isinstance(one, int) else -1 for one in value)
        else:
            raise Refused("fsUploadIn.in不能为空")
    except (binascii.Error, ValueError) as error:
        raise Refused("fsUploadIn.in不是字节内容") from error
    if len(content) > SIZE_MAX:
        raise Refused("文件过大")
    return content


def download(call: Call) -> HttpResponse:
    """9102"""
    node = "fsDownloadIn" if "fsDownloadIn" in call.input.data else "data"
    data = call.data(node)
    _own(call, data)
    row = file_find(call, data.need("file_qury_no", 60))
    if data.need("filename", 120) not in (row.filename, "plc"):
        raise Refused("文件名与文件查询号不一致")
    return HttpResponse(bytes(row.content), content_type="application/octet-stream")


def _own(call: Call, data: Fields) -> None:
    if data.need("fixmedins_code", 12) != call.institution.code:
        raise Refused("医药机构编号不一致")


def file_keep(call: Call, filename: str, content: bytes) -> StoredFile:
    return StoredFile.objects.create(
        file_qury_no=file_number(),
        institution=call.institution,
        filename=filename,
        content=content,
        until=call.now + LIFE,
    )


def file_find(call: Call, number: str) -> StoredFile:
    row = StoredFile.objects.filter(institution=call.institution, file_qury_no=number).first()
    if row is None or row.until < call.now:
        raise Refused("文件不存在或已过期")
    return row
