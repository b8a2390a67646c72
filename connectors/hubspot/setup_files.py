"""Files for an administrator who makes the properties by hand: JSON bodies, and what to do with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from connectors.hubspot.definitions import GROUP, Outputs, custom_properties, group_body
from connectors.hubspot.fields import OBJECTS
from connectors.hubspot.paths import path
from connectors.hubspot.scopes import ALWAYS, OPTIONAL, READ, SCHEMAS, SETUP, WRITE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def setup_files(outputs: Outputs, api_version: str, reads: Collection[str] = ()) -> dict[str, str]:
    """Path to content: one folder for each object, a README, and a script that sends the bodies.

    `reads` are the canonical objects that the rules name: their scopes are the worker's, and no others.
    """
    wanted = custom_properties(outputs)
    objects = list(dict.fromkeys(one.hs_object for one in wanted))
    files = {f"{hs_object}/group.json": _json(group_body()) for hs_object in objects}
    for one in wanted:
        files[f"{one.hs_object}/properties/{one.output.name}.json"] = _json(
            one.body(unique=one.output.group == "tasks")
        )
    base = path("properties", api_version)
    read = [name for name in READ if name in ALWAYS or name in reads]
    worker = list(dict.fromkeys([*_firsts(READ, read), *_firsts(WRITE, WRITE), *SCHEMAS]))
    files["send.sh"] = _SCRIPT.format(base=base, objects=" ".join(objects))
    files["README.md"] = _README.format(
        group=GROUP,
        base=base,
        worker=_bullets(worker),
        later=_bullets(
            f"{READ[name][0]}: {OBJECTS[name].replace('_', ' ')}"
            for name in READ
            if name not in read and READ[name][0] not in worker
        ),
        optional=_bullets(OPTIONAL),
        setup=_bullets(_firsts(SETUP, SETUP)),
        properties=_bullets(f"{one.full_name} ({one.output.label}): {one.output.help}" for one in wanted),
    )
    return files


def _firsts(scopes: Mapping[str, tuple[str, ...]], objects: Iterable[str]) -> list[str]:
    """The scope to ask for, of those that would do, for each object."""
    return list(dict.fromkeys(scopes[name][0] for name in objects))


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, indent=2) + "\n"


_SCRIPT = """#!/bin/sh
# Makes the property group and the properties of each object. What exists already is left as it is.
# Usage: HUBSPOT_TOKEN=an-administrators-token sh send.sh
set -u
cd "$(dirname "$0")" || exit 1
url="${{HUBSPOT_URL:-https://api.hubapi.com}}{base}"

send() {{
    reply=$(curl -sS -w ' %{{http_code}}' -X POST "$url/$1" \\
        -H "Authorization: Bearer $HUBSPOT_TOKEN" -H "Content-Type: application/json" --data "@$2")
    case "$reply" in
        *" 201") echo "made    $2" ;;
        *" 409") echo "there   $2" ;;
        *) echo "refused $2: $reply"; failed=1 ;;
    esac
}}

failed=0
for object in {objects}; do
    send "$object/groups" "$object/group.json"
    for file in "$object"/properties/*.json; do
        send "$object" "$file"
    done
done
exit "$failed"
"""

_README = """# Foretag's properties, by hand

`foretag setup` does all of this with an administrator's token. This folder is for those who prefer to do it themselves.

## 1. Make the properties

With curl, and a token that has these scopes:

{setup}

    HUBSPOT_TOKEN=... sh send.sh

It posts each `group.json` to `{base}/OBJECT/groups` and each file in `properties/` to `{base}/OBJECT`. Or make them in
HubSpot: Settings > Properties > choose the object > Groups > Create group `{group}`, then Create property with the
internal name, type and options of each file:

{properties}

The internal names must be exactly these; labels and descriptions are yours to change.
If HubSpot does not let a property of tasks be unique, take `"hasUniqueValue": true` out of
`tasks/properties/foretag_key.json`: Foretag then looks its tasks up another way.

## 2. Give the worker a token

Settings > Keys (in some portals Development > Keys) > Create service key, with these scopes:

{worker}

Your rules look at nothing more. As soon as they do, the key needs another scope, and no sooner:

{later}

Add these for exports and imports of very large books, and for the names of teams:

{optional}

Tasks, calls, e-mails and meetings have no scopes of their own: HubSpot lets those of contacts stand for them, which
are needed only with `tasks: true` or if your rules name one of these. Foretag reads no contacts, and no subject or
text of what others wrote.
Store the key where `foretag.yaml` says (`auth: {{token: {{env: NAME}}}}`), never in the file itself.

## 3. Show the group on the record page (two minutes)

A new property is at once in lists, boards, filters, reports and workflows, and under "View all properties" of each
record. HubSpot has no API for the layout of the record page, so an administrator adds the group once for companies and
once for deals:

1. Settings > Objects > Companies > Record customization, and open the default view (or a team's own).
2. In the left sidebar, or on the tab where it should stand: Add cards > Create property list card, name it Foretag.
3. Choose the properties Tier, Score, Why and Suggested next step, and the others that you want seen; Save.
4. Do the same under Settings > Objects > Deals.

To let people overrule a tier, show them Tier override, Override until and Override reason too: Foretag only reads
those.

## 4. See whether all is well

    foretag check

A score is out of date once its "Valid until" is past: filter lists by `foretag_valid_until` is before today.
"""
