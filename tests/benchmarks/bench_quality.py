"""How well scores put first what comes true, next to simple baselines: `python -m tests.benchmarks quality`."""

from __future__ import annotations

from tests.benchmarks import quality_deals, quality_growth, quality_purchases

PARTS = (quality_purchases, quality_growth, quality_deals)


def main() -> None:
    """Every part, printed as rows."""
    for part in PARTS:
        part.main()


if __name__ == "__main__":
    main()
