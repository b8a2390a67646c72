"""What a run leaves beside the mirror: tags, and the contributions that add up to their scores."""

import pyarrow.compute as pc

from sync.demo import set_up, write_settings
from sync.pipeline import run
from sync.workplace import opened_job


def test_the_contributions_of_every_score_are_kept(sandbox, tmp_path):
    """For each account and open deal, columns named `dimension:item` that add up to the score in its tags."""
    settings = write_settings(tmp_path, sandbox)
    set_up(settings)
    with opened_job(settings, None, lambda *_: None) as job:
        run(job)
        for name in ("account", "opportunity"):
            tags, points = job.tags.read(f"tags_{name}"), job.tags.read(f"points_{name}")
            assert tags.num_rows == points.num_rows > 0
            scores = {row["id"]: row["foretag_score"] for row in tags.to_pylist()}
            items = [column for column in points.column_names if column.startswith("priority:")]
            totals = {row["id"]: sum(row[item] or 0 for item in items) for row in points.to_pylist()}
            assert {key: total for key, total in totals.items() if scores[key] is not None} == {
                key: score for key, score in scores.items() if score is not None
            }
            assert pc.any(pc.is_valid(tags["foretag_score"])).as_py()
