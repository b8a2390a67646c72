"""Conditions of the rules, such as `days_to_close <= 30 and stage in ["Negotiation"]`: parsed, never run as Python."""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.files.documents import did_you_mean
from config.language.phrasing import habit
from config.language.vocabulary import KNOWN_VALUES, NAMES, Kind, Name
from config.problems import Fault, Faulty

if TYPE_CHECKING:
    from pydantic import ValidationInfo

MAX_LENGTH = 500
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
_MANY = {"account": "accounts", "opportunity": "opportunities"}
KNOWN_OR_NOT = ("known", "unknown")
# What people look for, and what there is.
_INSTEAD = {
    "close_date": "compare days: days_to_close <= 30, or days_overdue > 0",
    "created_at": "compare days: days_known, and for an opportunity age",
    "owner": "rules for one owner's team stand under `teams:`",
    "yes": "name it alone: opted_out, not opted_out",
    "no": "name it alone: opted_out, not opted_out",
    "null": "ask whether it is unknown: margin is unknown",
    "empty": "ask whether it is unknown: margin is unknown",
    "none": "ask whether it is unknown: margin is unknown",
}
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def checked(text: str, info: ValidationInfo, *, before_score: bool = False) -> str:
    """A condition that stands in a rule beside its `on:`, as it is. Raises as `parse` does."""
    if "on" in info.data:  # else `on` itself is wrong and already reported
        parse(text, info.data["on"], before_score=before_score)
    return text


def parse(text: str, object_name: str, *, before_score: bool = False) -> ast.expr:
    """The checked tree of a condition on an account or an opportunity.

    Allowed are names of the vocabulary, numbers, texts, True and False, `and or not`, comparisons (chained too),
    `in [ … ]`, `"part" in` a text, `is known` and `is unknown`, and `+ - * /` on numbers; it may be written on several
    lines. What makes a score (`before_score`) may not name what follows from it. In the tree `known` and `unknown`
    are texts, so that its names are inputs. Raises `Faulty` (a `ValueError`) with all that is wrong, each with its
    place in the text, in the user's words.
    """
    tree = _tree(text)
    checker = _Checker(text, NAMES[object_name], before_score=before_score)
    kind = checker.kind(tree)
    if checker.faults:
        raise Faulty(*checker.faults)
    if kind != "yes-or-no":
        raise Faulty(Fault("is not a condition: it gives no yes or no", start=0, end=len(text)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            node.comparators = [
                ast.copy_location(ast.Constant(right.id), right)
                if isinstance(op, ast.Is | ast.IsNot) and isinstance(right, ast.Name)
                else right
                for op, right in zip(node.ops, node.comparators, strict=True)
            ]
    return tree


def _tree(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise Faulty(Fault(f"is longer than {MAX_LENGTH} characters"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "5 is 5" and the like are refused below, not remarked on
            # One line: within a condition a line end means no more than a blank.
            return ast.parse(_one_line(text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Faulty(_unreadable(text, error)) from None


def _one_line(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)


def _unreadable(text: str, error: Exception) -> Fault:
    known = habit(text)
    if known is not None:
        return Fault(f"is not a condition: {known.message}", known.fix, start=known.start, end=known.end)
    if not text.strip():
        return Fault("is not a condition: it is empty")
    if not isinstance(error, SyntaxError):
        return Fault("is not a condition: it cannot be read")
    parted = _parted(text)
    if parted is not None:
        return parted
    begin = len(text) - len(text.lstrip()) + max((error.offset or 1) - 1, 0)
    last = len(text.rstrip()) - 1
    if error.msg == "invalid syntax":
        # Python points behind the end where something is still to come.
        words = (
            "something is missing at its end" if begin > last or not error.offset else "this is out of place"
        )
        return Fault(
            f"is not a condition: {words}", start=last if begin > last or not error.offset else begin
        )
    return Fault(f"is not a condition: {error.msg}", start=min(begin, last))


def _parted(text: str) -> Fault | None:
    """A name of several words that was written with blanks: "days to close"."""
    for names in NAMES.values():
        for name in sorted(names, key=len, reverse=True):
            found = re.search(rf"\b{name.replace('_', ' +')}\b", text, re.IGNORECASE) if "_" in name else None
            if found:
                words = f'is not a condition: "{found[0]}" is not one name'
                return Fault(words, f"write {name}", start=found.start(), end=found.end())
    return None


def span(node: ast.expr, text: str) -> tuple[int, int]:
    """Where a part of a condition's tree stands in its text, in characters; Python counts bytes."""
    stripped = text.lstrip()
    before, line = len(text) - len(stripped), stripped.encode()
    start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
    return before + len(line[:start].decode()), before + len(line[:end].decode())


@dataclass
class _Checker:
    """Walks a tree and collects all that is wrong with it. A kind that is not known was reported already."""

    text: str
    names: dict[str, Name]
    before_score: bool
    faults: list[Fault] = field(default_factory=list)

    def kind(self, node: ast.expr) -> Kind | None:  # noqa: PLR0911  # one case, one line
        """The kind of value that a tree gives, checking all below it."""
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self._expect(value, "yes-or-no")
                return "yes-or-no"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._expect(operand, "yes-or-no")
                return "yes-or-no"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._expect(operand, "number")
                return "number"
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
                self._expect(left, "number")
                self._expect(right, "number")
                return "number"
            case ast.Compare():
                self._comparison(node)
                return "yes-or-no"
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return self._constant(node)
        self._refused(node)
        return None

    def _refused(self, node: ast.expr) -> None:
        known = habit(self.text)
        if known is not None:
            self.faults.append(known)
        else:
            self._report(node, f'"{ast.unparse(node)}" is not allowed in a condition')

    def _report(self, node: ast.expr, message: str, fix: str = "") -> None:
        self.faults.append(Fault(message, fix, (), *span(node, self.text)))

    def _expect(self, node: ast.expr, kind: Kind) -> None:
        found = self.kind(node)
        if found not in (kind, None):
            self._report(node, f'"{ast.unparse(node)}" is a {found}, where a {kind} is needed')

    def _name(self, node: ast.Name) -> Kind | None:
        name = self.names.get(node.id)
        if name is None:
            self._report(node, f'unknown name "{node.id}"', self._meant(node.id))
            return None
        if self.before_score and name.known == "after":
            self._report(node, f'"{node.id}" is not known yet: it follows from the score')
        return name.kind

    def _meant(self, name: str) -> str:
        """The name that was probably meant; it may be one of another object."""
        if name in _INSTEAD:
            return _INSTEAD[name]
        if any(name in names for names in NAMES.values()):
            return f"it is known of {_MANY[next(on for on, names in NAMES.items() if name in names)]} alone"
        elsewhere = {other: on for on, names in NAMES.items() for other in names if other not in self.names}
        close = difflib.get_close_matches(name, [*self.names, *elsewhere, "True", "False"], n=1)
        if close and close[0] in elsewhere:
            return f'"{close[0]}" is known of {_MANY[elsewhere[close[0]]]} alone'
        return did_you_mean(name, [*self.names, "True", "False"])

    def _constant(self, node: ast.Constant) -> Kind | None:
        match node.value:
            case bool():
                return "yes-or-no"
            case int() | float():
                if abs(node.value) > 1e15:
                    self._report(node, f"{node.value} is too large a number")
                return "number"
            case str():
                return "text"
        self._refused(node)
        return None

    def _comparison(self, node: ast.Compare) -> None:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            self._link(node, left, op, right)
            left = right

    def _link(self, whole: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
        if isinstance(op, ast.Is | ast.IsNot):
            self._known(whole, left, right)
            return
        if not isinstance(op, _COMPARISONS):
            self._report(whole, f'"{ast.unparse(whole)}": compare with == != < <= > >= or in')
            return
        if self._unquoted(left, right):
            return
        kind = self.kind(left)
        if isinstance(op, ast.In | ast.NotIn):
            if isinstance(left, ast.Constant) and isinstance(right, ast.Name):
                self._part(left, right)
            else:
                self._members(left, kind, right)
            return
        if kind is None:
            self.kind(right)
            return
        self._expect(right, kind)
        if kind != "number" and not isinstance(op, ast.Eq | ast.NotEq):
            self._report(whole, f'"{ast.unparse(whole)}": a {kind} has no order, use == or in')
        self._known_value(left, right)
        self._known_value(right, left)

    def _known(self, whole: ast.Compare, left: ast.expr, right: ast.expr) -> None:
        """`margin is known`: the only thing that "is" asks."""
        self.kind(left)
        if not isinstance(right, ast.Name) or right.id not in KNOWN_OR_NOT:
            words = f'"{ast.unparse(whole)}": after "is" comes known or unknown'
            self._report(whole, words, "else compare with == or !=")
        elif not isinstance(left, ast.Name):
            self._report(left, f'"{ast.unparse(left)}": only a name is known or unknown')

    def _part(self, part: ast.Constant, name: ast.Name) -> None:
        """`"Renewal" in type`: a text that holds another."""
        self._expect(name, "text")
        if not isinstance(part.value, str) or not part.value.strip():
            self._report(part, f"{ast.unparse(part)} is no part of a text", 'write "Renewal" in type')

    def _unquoted(self, left: ast.expr, right: ast.expr) -> bool:
        """Whether a text is compared with a word that should stand in quotes."""
        texts = isinstance(left, ast.Name) and left.id in self.names and self.names[left.id].kind == "text"
        if not texts or not isinstance(right, ast.Name) or right.id in self.names:
            return False
        fix = _INSTEAD.get(right.id.lower(), f'a text stands in quotes: "{right.id}"')
        self._report(right, f'unknown name "{right.id}"', fix)
        return True

    def _members(self, left: ast.expr, kind: Kind | None, right: ast.expr) -> None:
        if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
            self._report(
                right,
                f'"{ast.unparse(right)}": after "in" comes a list, as in ["Negotiation", "Proposal"]',
            )
            return
        for member in right.elts:
            if self._unquoted(left, member):
                continue
            if not isinstance(member, ast.Constant):
                self._report(member, f'"{ast.unparse(member)}": a list holds texts or numbers only')
                continue
            if kind is not None:
                self._expect(member, kind)
            self._known_value(left, member)

    def _known_value(self, name: ast.expr, value: ast.expr) -> None:
        if not isinstance(name, ast.Name) or not isinstance(value, ast.Constant):
            return
        if value.value == "":
            self._report(value, f'{name.id} is never ""', f"write {name.id} is unknown")
        known = KNOWN_VALUES.get(name.id)
        if known is not None and isinstance(value.value, str) and value.value not in known:
            self._report(
                value, f"{name.id} is never {ast.unparse(value)}", did_you_mean(value.value, list(known))
            )
