"""What Salesforce's permissions have of their own."""

from __future__ import annotations


def test_people_keep_their_fields_to_themselves(world) -> None:
    """The worker may read an override, and not write it."""
    override = world.connect().schema("account")["foretag_override"]
    assert not override.updateable
