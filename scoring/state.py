"""What must be remembered of a tag between runs, so that tags stay calm and overrides end."""

from __future__ import annotations

import pyarrow as pa

STATE_SCHEMA = pa.schema([
    ("object", pa.string()),  # account or opportunity
    ("id", pa.string()),
    ("tier", pa.string()),  # null: not scored
    ("since", pa.date32()),  # when the tier was given
    ("cause", pa.string()),  # of the last change of tier: new, data, time, rules
    ("score", pa.int64()),
    ("rules", pa.string()),  # digest of the rules that made it
    ("fingerprint", pa.int64()),  # of the record's own inputs, to tell data from time
    ("parent_id", pa.string()),
    ("parent_since", pa.date32()),  # when the parent last changed; null: as first seen
    ("override", pa.string()),  # the person's word, as last seen
    ("override_seen", pa.date32()),  # when it was first seen
])
