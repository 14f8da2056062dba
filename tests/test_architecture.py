"""The house rules, read from the source itself: a rule that no test keeps is a wish."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["core", "patients", "insurance", "billing", "credit", "refunds"]
TOPS = [*LAYERS, "config", "sandbox"]
FILE_MAX, TEST_FILE_MAX, FUNCTION_MAX, TEMPLATE_MAX, LINE_MAX = 300, 400, 70, 120, 100
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "manager"}
UNSPOKEN = {"management", "commands", "templatetags", "services", "selectors"}
ADAPTERS = re.compile(r"^(billing/channels|patients/messengers|\w+/gateway)/")
CLOCK_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "timezone.now",
    "timezone.localdate",
    "time.time",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    path: str
    text: str
    tree: ast.Module

    @property
    def top(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return Path(self.path).stem

    @property
    def is_migration(self) -> bool:
        return "/migrations/" in self.path

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def functions(self) -> Iterator[Function]:
        yield from self.nodes(ast.FunctionDef, ast.AsyncFunctionDef)  # type: ignore[misc]

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every dotted name an import statement reaches, relative ones resolved."""
        for node in self.nodes(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
                continue
            parts = self.path.removesuffix(".py").split("/")[: -node.level or None]
            base = ".".join(parts) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def tracked(*patterns: str) -> list[str]:
    """Files in git, and new ones that nothing ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({line for line in answer.stdout.splitlines() if (ROOT / line).is_file()})


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in tracked("*.py"):
        text = (ROOT / path).read_text(encoding="utf8")
        found.append(Module(path, text, ast.parse(text, path)))
    return tuple(found)


def product(*, migrations: bool = False) -> list[Module]:
    return [m for m in modules() if m.top in TOPS and (migrations or not m.is_migration)]


def portal() -> list[Module]:
    return [m for m in product() if m.top != "sandbox"]


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def calls_where(source: list[Module], rule: Callable[[ast.Call], bool]) -> list[str]:
    return [
        f"{m.path}:{node.lineno}"
        for m in source
        for node in m.nodes(ast.Call)
        if isinstance(node, ast.Call) and rule(node)
    ]


def nothing(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def test_imports_point_down() -> None:
    wrong = []
    for m in product():
        for line, name in m.imports():
            target = name.partition(".")[0]
            if target not in TOPS or target == m.top:
                continue
            down = m.top in LAYERS and target in LAYERS
            if down and LAYERS.index(target) < LAYERS.index(m.top):
                continue
            if m.top == "config" and target in LAYERS:
                continue
            wrong.append(f"{m.path}:{line} -> {name}")
    nothing(wrong)


def test_no_import_inside_a_function() -> None:
    inner = [
        f"{m.path}:{node.lineno}"
        for m in product()
        for function in m.functions()
        if not (m.name == "apps" and function.name == "ready")
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    nothing(inner)


def test_files_are_short() -> None:
    long = []
    for m in modules():
        limit = TEST_FILE_MAX if m.top == "tests" else FILE_MAX
        lines = m.text.count("\n") + 1
        if not m.is_migration and lines > limit:
            long.append(f"{m.path}: {lines} lines, at most {limit}")
    for path in tracked("templates/*.html"):
        lines = (ROOT / path).read_text(encoding="utf8").count("\n")
        if lines > TEMPLATE_MAX:
            long.append(f"{path}: {lines} lines, at most {TEMPLATE_MAX}")
    nothing(long)


def test_functions_and_lines_are_short() -> None:
    long = [
        f"{m.path}:{f.lineno} {f.name}"
        for m in modules()
        if not m.is_migration
        for f in m.functions()
        if (f.end_lineno or 0) - f.lineno + 1 > FUNCTION_MAX
    ]
    wide = [
        f"{m.path}:{number}"
        for m in modules()
        if not m.is_migration
        for number, line in enumerate(m.text.splitlines(), 1)
        if len(line) > LINE_MAX
    ]
    nothing(long + wide)


def test_names_say_what_they_hold() -> None:
    parts = {m.path: set(m.path.removesuffix(".py").split("/")) for m in product()}
    nothing([path for path, names in parts.items() if names & VAGUE_NAMES])


def test_no_signals() -> None:
    wrong = [
        f"{m.path}:{line}"
        for m in product()
        for line, name in m.imports()
        if name.startswith(("django.dispatch", "django.db.models.signals", "django.core.signals"))
    ]
    nothing(wrong)


def test_every_function_is_annotated() -> None:
    bare = []
    for m in product():
        for f in m.functions():
            named = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
            named += [a for a in (f.args.vararg, f.args.kwarg) if a]
            missing = [
                a.arg for a in named if a.annotation is None and a.arg not in {"self", "cls"}
            ]
            if missing or f.returns is None:
                bare.append(f"{m.path}:{f.lineno} {f.name} {missing}")
    nothing(bare)


def test_only_transition_assigns_a_status() -> None:
    wrong = []
    for m in portal():
        if m.path == "core/states.py":
            continue
        for node in m.nodes(ast.Assign, ast.AugAssign, ast.AnnAssign):
            targets = getattr(node, "targets", None) or [node.target]
            for target in targets:
                of_self = isinstance(target, ast.Attribute) and dotted(target.value) == "self"
                named = isinstance(target, ast.Attribute) and target.attr == "status"
                if named and not of_self:
                    wrong.append(f"{m.path}:{node.lineno}")
    wrong += calls_where([m for m in portal() if m.path != "core/states.py"], _writes_a_status)
    nothing(wrong)


def _writes_a_status(call: ast.Call) -> bool:
    """`update(status=…)`, `bulk_update(rows, ["status"])`, `save(update_fields=["status"])`."""
    verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if verb == "update":
        return any(word.arg == "status" for word in call.keywords)
    lists = [word.value for word in call.keywords if word.arg in {"fields", "update_fields"}]
    lists += call.args[1:] if verb in {"bulk_update", "abulk_update"} else []
    return any(
        isinstance(node, ast.Constant) and node.value == "status"
        for one in lists
        for node in ast.walk(one)
    )


def test_only_the_clock_knows_the_time() -> None:
    source = [m for m in portal() if m.path != "core/clock.py"]
    asks = calls_where(
        source, lambda call: ".".join(dotted(call.func).split(".")[-2:]) in CLOCK_CALLS
    )
    stamps = calls_where(
        source, lambda call: any(word.arg in {"auto_now", "auto_now_add"} for word in call.keywords)
    )
    nothing(asks + stamps)


def test_no_float_holds_money() -> None:
    money = [
        m
        for m in portal()
        if m.top in {"insurance", "billing", "credit", "refunds"} or m.path == "core/money.py"
    ]
    names = {"float", "models.FloatField", "forms.FloatField"}
    nothing(calls_where(money, lambda call: dotted(call.func) in names))


def test_locks_are_taken_in_one_place() -> None:
    homes = re.compile(r"(^|/)(locks|locking)(/|\.py$)")
    source = [m for m in portal() if not homes.search(m.path)]
    raw = [m for m in portal() if m.path != "core/locking.py"]
    wrong = calls_where(raw, lambda call: dotted(call.func).endswith(".select_for_update"))
    sql = [m.path for m in source if re.search(r"\bFOR (NO KEY )?UPDATE\b", m.text)]
    # Who only asks whether a row is locked, or needs a number for a job, takes no lock.
    asks = {"NotLocked", "is_locked", "advisory_number", "LOCK_ORDER"}
    taken = [
        f"{m.path}:{node.lineno} {alias.name}"
        for m in source
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "core.locking"
        for alias in node.names
        if alias.name not in asks
    ]
    nothing(wrong + sql + taken)


def test_services_are_called_by_keyword() -> None:
    """A service is what opens a transaction; the pure rules beside it may take one argument."""
    wrong = []
    for m in portal():
        if not ("/services/" in m.path or m.name == "services"):
            continue
        for f in m.tree.body:
            if not isinstance(f, Function) or f.name.startswith("_"):
                continue
            opens = any(dotted(n).endswith("transaction.atomic") for n in ast.walk(f))
            if opens and (f.args.args or f.args.posonlyargs or "_" not in f.name):
                wrong.append(f"{m.path}:{f.lineno} {f.name}")
    nothing(wrong)


def test_selectors_and_doors_never_write() -> None:
    """Nor do they change a dict by `update`: what a plain name holds cannot be seen here."""
    verbs = {"save", "create", "bulk_create", "update", "bulk_update", "delete", "get_or_create"}
    verbs |= {"update_or_create", "asave", "acreate", "aupdate", "adelete"}
    readers = re.compile(r"(^|/)(selectors|views|doors|desk)(/|\.py$)")

    def writes(call: ast.Call) -> bool:
        return isinstance(call.func, ast.Attribute) and call.func.attr in verbs

    nothing(calls_where([m for m in portal() if readers.search(m.path)], writes))


def test_adapters_know_no_tables() -> None:
    wrong = [
        f"{m.path}:{line} -> {name}"
        for m in portal()
        if ADAPTERS.match(m.path)
        for line, name in m.imports()
        if name.startswith("django.db") or ".models" in name
    ]
    nothing(wrong)


def test_packages_say_what_they_are() -> None:
    silent = [
        m.path
        for m in product()
        if m.name == "__init__"
        and Path(m.path).parent.name not in UNSPOKEN
        and not ast.get_docstring(m.tree)
    ]
    nothing(silent)


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b|NotImplementedErro[r]")
    left = [
        f"{m.path}:{number}"
        for m in modules()
        for number, line in enumerate(m.text.splitlines(), 1)
        if marks.search(line)
    ]
    nothing(left)


def test_no_file_names_a_registry_or_this_machine() -> None:
    # Each name is written so that this file does not hold it.
    foreign = re.compile("pytho[n]hosted|pypi[.]org|np[m]js|deb[.]debian|/wor[k]/|/far[m]/")
    found = []
    for path in tracked():
        content = (ROOT / path).read_bytes()
        if b"\0" in content[:1024]:
            continue
        if foreign.search(content.decode("utf8", errors="replace")):
            found.append(path)
    nothing(found)
