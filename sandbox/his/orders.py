"""From what a person ticked or a program sent to the lines of a visit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

from sandbox.his.catalogue import Item, Order, items, items_by_code
from sandbox.his.services.desk import DeskRefusal

MAX_QUANTITY = 9999
MAX_LINES = 200
PLACES = -4


def quantity_of(value: Any) -> Decimal:
    """A positive quantity of at most four decimal places."""
    try:
        quantity = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise DeskRefusal(f"数量“{value}”不是数字。") from error
    exponent = quantity.as_tuple().exponent
    if not isinstance(exponent, int) or not 0 < quantity <= MAX_QUANTITY:
        raise DeskRefusal(f"数量“{value}”要大于 0，不超过 {MAX_QUANTITY}。")
    if exponent < PLACES:
        raise DeskRefusal(f"数量“{value}”最多 4 位小数。")
    return quantity


def orders_from_form(data: Mapping[str, str]) -> list[Order]:
    """Fields `q_<code>` hold quantities; empty and 0 mean not ordered."""
    orders = []
    for item in items():
        value = str(data.get(f"q_{item.code}", "")).strip()
        if value and value.strip("0.") != "":
            orders.append(Order(item, quantity_of(value)))
    return orders


def orders_from_args(args: Mapping[str, Any]) -> list[Order]:
    """`charges`: [{"code", "quantity"?}]; else `count` items drawn with `seed`."""
    if args.get("charges") is not None:
        lines = args["charges"]
        if not isinstance(lines, list) or not 0 < len(lines) <= MAX_LINES:
            raise DeskRefusal(f"charges is a list of 1 to {MAX_LINES} lines")
        return [_order(line) for line in lines]
    count = args.get("count", 3)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MAX_LINES:
        raise DeskRefusal(f"count is a number from 1 to {MAX_LINES}")
    # Repeatable on purpose: the same seed gives the same visit. Without one, any visit will do.
    random = Random(args.get("seed"))  # noqa: S311
    return [Order(random.choice(items()), Decimal(1)) for _ in range(count)]


def _order(line: Any) -> Order:
    if not isinstance(line, dict) or set(line) - {"code", "quantity"}:
        raise DeskRefusal("a charge has code and quantity")
    item: Item | None = items_by_code().get(str(line.get("code", "")))
    if item is None:
        raise DeskRefusal(f"unknown code {line.get('code')!r}; see sandbox/his/data/items.csv")
    return Order(item, quantity_of(line.get("quantity", 1)))
