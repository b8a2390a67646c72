"""Columns of an upload that find a parent by its key: `Account.Ext__c`, or `Account:What.Ext__c` of several objects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """The relationship, the parent's field that is the key, and the parent's object where there are several."""

    relationship: str
    key: str
    target: str | None = None

    @classmethod
    def of(cls, name: str) -> ReferenceColumn | None:
        """What a column of this name means; None if it is a plain field."""
        way, dot, key = name.strip().partition(".")
        if not (way and dot and key):
            return None
        target, colon, relationship = way.partition(":")
        return cls(relationship, key, target) if colon else cls(way, key)

    def record(self, value: str | None) -> dict[str, object]:
        """The same for one row as REST sends it."""
        attributes = {"attributes": {"type": self.target}} if self.target else {}
        return {self.relationship: {**attributes, self.key: value}}
