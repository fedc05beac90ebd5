"""Values that stand nowhere else, and where to look for them."""

from collections.abc import Iterable, Mapping
from typing import Any

from redis.asyncio import Redis

from enrichment.packed_json import unpack
from models.db import connection
from models.db.statements import query

# One unlikely word in whatever a person's record and a provider's answer may hold.
EMAIL = "quetzalita.person@quetzalwork.com"
FIELDS: dict[str, Any] = {
    "firstName": "Quetzalfirst",
    "lastName": "Quetzallast",
    "email": EMAIL,
    "phone": "+49 30 55577123",
    "title": "Quetzaltitle",
    "company": "Quetzalcompany",
    "companyDomain": "quetzalcompany.com",
    "linkedinUrl": "https://www.linkedin.com/in/quetzalprofile",
    "twitterHandle": "quetzaltweets",
    "street": "Quetzalstreet 5",
    "city": "Quetzalcity",
    "postalCode": "Q77 7QZ",
    "country": "United Kingdom",
    "remark": {"deep": ["Quetzalremark"]},
}
ANSWER: dict[str, Any] = {
    "title": "Quetzalchief",
    "department": "Quetzaldepartment",
    "mobilePhone": "+49 170 5557788",
    "avatarUrl": "https://pics.quetzalpics.com/me.png",
    "website": "https://quetzalsite.com",
    "state": "Quetzalstate",
    "city": "Quetzaltown",
    "annualRevenue": 918273645,
}
EXTERNAL_ID = "QUETZAL-0815"
NOTE = "Quetzalnote of the reviewer"
SOUGHT = ("quetzal", "55577123", "5557788", "77 7qz", "918273645")


def traces_in(texts: Iterable[bytes | str]) -> set[str]:
    """Which of the canaries stand in any of these, in any case."""
    found: set[str] = set()
    for text in texts:
        folded = (text if isinstance(text, bytes) else text.encode("utf-8", "replace")).lower()
        found |= {word for word in SOUGHT if word.encode() in folded}
    return found


async def stored_texts() -> list[str]:
    """Every row of every table as text, with what is packed as it was before."""
    if connection.dialect() == "sqlite":
        tables = [row["name"] for row in await query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    else:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        tables = [row["table_name"] for row in await query(sql)]
    return [_as_text(row) for table in tables for row in await query(f"SELECT * FROM {table}")]


def _as_text(row: Mapping[str, Any]) -> str:
    packed = (value for name, value in row.items() if name.startswith("packed") and value is not None)
    return f"{row} {[unpack(value) for value in packed]}"


async def redis_texts(redis: Redis) -> list[bytes]:
    """Every key of Redis and all that is under it."""
    found: list[bytes] = []
    async for key in redis.scan_iter():
        found.append(key if isinstance(key, bytes) else key.encode())
        found.append(await redis.dump(key) or b"")
        kind = await redis.type(key)
        if kind in {b"string", "string"}:
            found.append(str(await redis.get(key)).encode())
        elif kind in {b"hash", "hash"}:
            held: Any = redis.hgetall(key)
            found.append(str(await held).encode())
        elif kind in {b"zset", "zset"}:
            found.append(str(await redis.zrange(key, 0, -1)).encode())
    return found
