"""People with names, ID numbers and phones, each value written by its model's own field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, models
from psycopg import sql

from patients.models import Patient, Sex, UserPhone
from patients.selectors import id_number_index, phone_index
from tests.bench.bills import FIRST
from tests.factories.patients import id_number

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲红建华志国梅玉春荣林海云峰鑫波宇浩晨欣怡梓涵子轩雨彤"
    "思佳俊博嘉诗琪瑶宁雪凤莲珍淑贞翠萍燕琴素振德福贵生庆祥永康乐安东南北山川江河天"
)
BORN_FROM, BORN_DAYS = date(1936, 1, 1), 32_000
NO_NUMBER = 49  # one in so many has no certificate (yet)


def person_name(n: int) -> str:
    """Few surnames are common, many are rare; one name in three has one given character."""
    step = n * 7919 % 1_000_003
    surname = SURNAMES[int(len(SURNAMES) * (step / 1_000_003) ** 2)]
    given = GIVEN[n * 104_729 % len(GIVEN)]
    return surname + given + ("" if n % 3 == 0 else GIVEN[n * 611_953 // 97 % len(GIVEN)])


def person_number(n: int) -> str:
    """A resident ID number nobody else here has, with its right checksum; "" for who has none."""
    if n % NO_NUMBER == 0:
        return ""
    born = BORN_FROM + timedelta(days=n % BORN_DAYS)
    return id_number(n // BORN_DAYS % 1000, born, f"{110_101 + n // (BORN_DAYS * 1000)}")


def person_phone(n: int) -> str:
    return f"1{3 + n % 7}{n:09d}"


def card_no(n: int) -> str:
    return f"C{n:09d}"


def patients_write(first: int, last: int, at: datetime) -> None:
    rows_copy(Patient, (_patient(n, at) for n in range(first, last + 1)))


def phones_write(first: int, last: int, at: datetime) -> None:
    """The verified phones of accounts: each that of the account's own person."""
    rows = (
        UserPhone(id=n, user_id=n, phone=person_phone(n), verified_at=at)
        for n in range(first, last + 1)
    )
    rows_copy(UserPhone, rows)


def _patient(n: int, at: datetime) -> Patient:
    number, phone = person_number(n), person_phone(n)
    return Patient(
        id=n,
        name=person_name(n - FIRST),
        sex=Sex.FEMALE if n % 2 else Sex.MALE,
        birth_date=BORN_FROM + timedelta(days=n % BORN_DAYS),
        id_number=number,
        id_number_index=id_number_index(number),
        phone=phone,
        phone_index=phone_index(phone),
        created_at=at,
    )


def rows_copy(model: type[models.Model], rows: Iterator[Any]) -> None:
    """Instances by COPY, their values made by the same fields that `save()` would ask."""
    fields: list[Any] = list(model._meta.concrete_fields)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(one.column) for one in fields),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = [one.get_db_prep_save(one.pre_save(row, True), connection) for one in fields]
            copy.write_row(values)
