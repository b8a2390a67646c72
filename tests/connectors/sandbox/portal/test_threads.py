"""A portal is asked by many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_writers_and_readers_do_not_meet(portal, app, ids):
    """Every write is there once, every read sees whole records, and ids are given once."""
    companies = ids("companies", 40)

    def write(number: int) -> list[str]:
        inputs = [{"id": one, "properties": {"phone": f"{number}", "city": f"{number}"}} for one in companies]
        portal.update(app, "companies", inputs)
        return [
            one["id"] for one in portal.create(app, "companies", [{"properties": {"name": "x"}}] * 5).results
        ]

    def read(_: int) -> bool:
        found = portal.search("companies", {"limit": 200, "properties": ["phone", "city"]}).results
        page = portal.list_records("companies", limit=100, properties=["phone", "city"]).results
        return all(one["properties"]["phone"] == one["properties"]["city"] for one in found + page)

    with ThreadPoolExecutor(8) as pool:
        writes, reads = pool.map(write, range(20)), pool.map(read, range(20))
        made = [one for many in writes for one in many]
        assert all(reads)
    assert len(set(made)) == 100
    told = portal.get("companies", companies[0], history=["phone"])["propertiesWithHistory"]["phone"]
    assert len({one["value"] for one in told}) == 20
