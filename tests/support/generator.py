"""Random worlds: few ids, instants and sources, so that ties, boundaries and refusals are common. Every choice is the seed's."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from tests.support.oracle_model import DAY, HOUR, Consent, Event, Profile, World, start_of_date, zone_named

Choice = TypeVar("Choice")
SUBJECTS = ("u1", "u2", "u3")
ZONE = zone_named("Europe/Berlin")
assert ZONE is not None
START = start_of_date(date(2025, 3, 28), ZONE)
"""Two days before the clocks go forward in Berlin."""

WINDOWS: tuple[Any, ...] = (
    *("lifetime", "1d", "2d", {"last": "36h"}, {"between": ["3d", "1d"]}),
    {"calendar": {"last": 1, "unit": "day"}},
    {"calendar": {"last": 2, "unit": "day", "include_current": False}},
    {"calendar": {"last": 1, "unit": "week", "tz": "America/New_York"}},
    {"calendar": {"last": 1, "unit": "month", "tz": "profile"}},
    {"calendar": {"last": 1, "unit": "day", "tz": "profile"}},
    {"from": "2025-03-29", "to": "2025-04-01"},
    {"from": "2025-03-30"},
)
CONDITIONS = (
    *("amount >= 2", "cat = 'x'", "cat != 'x' OR n IS NULL", "n IN (1, 2)", "NOT (n > 1)", "event = 'a'"),
    *("lower(cat) = 'x' AND amount < 3", "coalesce(n, 0) < 2", "round(amount) = 3", "starts_with(cat, 'X')"),
)
COUNTS = (">= 2", "= 0", "!= 1", "between 1 and 2", "< 2", "> 1", "= 1", "IN (0, 3)", "<= 0")
PROFILES: tuple[dict[str, Any], ...] = (
    *({"country": "IN ('DE', 'FR')"}, {"country": "!= 'DE'"}, {"country": "is null"}, {"vip": True}),
    *({"age": ">= 18"}, {"age": "between 17 and 18", "country": "= 'DE'"}, {"age": "is null"}),
    *({"birth_date": "< '2007-04-01'"}, {"score": "> 1.5"}),
)
COMPARISONS: dict[str, tuple[str, ...]] = {
    "amount": ("> 2", "<= 2.5", "= 2", "between 1 and 2.55", "!= 1", "is null", "> 1 and < 3"),
    "n": ("> 1", "= 1", "<= 2", "IN (1, 3)", "is not null", "!= 2"),
    "cat": ("= 'x'", "> 'x'", "IN ('x', 'z')", "is null"),
    "ts": ("> '2025-03-29T12:00:00Z'", "is null"),
    "flag": ("= true", "is null"),
}
COLUMNS: dict[str, tuple[str | None, ...]] = {
    "count": (None,),
    "days_active": (None,),
    **dict.fromkeys(("sum", "mean"), ("amount", "n")),
    **dict.fromkeys(("min", "max"), ("amount", "n", "cat", "ts")),
    **dict.fromkeys(("distinct", "first", "last"), ("amount", "n", "cat", "ts", "flag")),
}
NEVER_MISSING = ("count", "sum", "distinct", "days_active")


class Generator:
    """Draws one world from a source of randomness."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.instants = [
            START + self.pick((0, 6, 18, 23, 24)) * HOUR + self.pick(range(7)) * DAY + self.pick((0, 1, -1))
            for _ in range(6)
        ]
        self.features: list[tuple[str, tuple[str, ...], bool]] = []
        self.aggregates = self._aggregates()

    def pick(self, choices: Sequence[Choice]) -> Choice:
        return choices[self.random.randrange(len(choices))]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def several(self, most: int, make: Callable[[], Choice]) -> tuple[Choice, ...]:
        return tuple(make() for _ in range(self.random.randrange(most + 1)))

    def at(self) -> int:
        if self.chance(60):
            return self.pick(self.instants)
        return START + self.random.randrange(7 * 24) * HOUR + self.pick((0, 0, 1))

    def received(self, at: int) -> int:
        return at + self.pick((0, 0, 0, 1, HOUR, DAY, 2 * DAY))

    def world(self) -> World:
        """Definitions and facts."""
        return World(self.project(), self.events(), self.several(5, self.profile), self.consents())

    def project(self) -> dict[str, Any]:
        group = {"features": "grp", "purpose": "p", "source": self.reference(), "aggregates": self.aggregates}
        return {
            "timezone": "Europe/Berlin",
            "purposes": self.purposes(),
            "segments": self.segments(),
            "features": [group],
            "sources": {
                "e1": {
                    "kind": "events",
                    "properties": {
                        "amount": "decimal(8,2)",
                        "cat": "string",
                        "n": "int",
                        "ts": "timestamp",
                        "flag": "bool",
                    },
                },
                "e2": {"kind": "events", "properties": {"amount": "decimal(8,2)", "cat": "string"}},
                "prof": {
                    "kind": "profiles",
                    "properties": {
                        "country": "string",
                        "birth_date": "date",
                        "timezone": "string",
                        "vip": "bool",
                        "score": "decimal(6,2)",
                    },
                },
                "led": {"kind": "consents"},
            },
            "lists": {"lists/v.csv": {"subject": {"u1", "zz"}}},
        }

    def purposes(self) -> list[dict[str, Any]]:
        basis = self.pick(({"default": "consent"}, {"default": "consent", "DE": "legitimate_interest"}))
        one: dict[str, Any] = {"id": "p", "basis": self.pick(("legitimate_interest", "consent"))}
        other: dict[str, Any] = {"id": "q", "basis": basis}
        for purpose, key, value, percent in (
            (one, "max_lookback", "3d", 50),
            (other, "max_grant_age", "2d", 30),
            (other, "min_age", self.pick((14, 14, 18)), 50),
            (other, "versions", [{"major": 1}, {"major": 2, "introduced_at": "2025-03-31"}], 30),
        ):
            if self.chance(percent):
                purpose[key] = value
        return [one, other]

    def _aggregates(self) -> list[dict[str, Any]]:
        made = []
        for number, (op, columns) in enumerate(COLUMNS.items()):
            of, window = self.pick(columns), self.pick(WINDOWS)
            named = {**window, "as": "w"} if isinstance(window, dict) else window
            suffix = "w" if isinstance(window, dict) else window
            aggregate: dict[str, Any] = {"name": f"f{number}", "op": op, "windows": [named]}
            if of is not None:
                aggregate["of"] = of
            if op == "days_active" and self.chance(50):
                aggregate["tz"] = self.pick(("America/New_York", "profile"))
            counted = op in ("count", "distinct", "days_active")
            comparisons = (">= 2", "= 1", "< 1", "IN (0, 2)") if counted else COMPARISONS[str(of)]
            self.features.append((f"grp.f{number}_{suffix}", comparisons, op in NEVER_MISSING))
            made.append(aggregate)
        return made

    def segments(self) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for number in range(3):
            names = [segment["segment"] for segment in made]
            purpose: Any = "p" if number < 2 else self.pick(("p", ["p", "q"]))
            population = self.pick(
                ("known_subjects", "known_subjects", {"active_in": "2d"}, *({"in_segment": name} for name in names[:1]))
            )
            made.append(
                {"segment": f"s{number}", "purpose": purpose, "population": population, "when": self.node(2, names)}
            )
        return made

    def reference(self) -> dict[str, Any]:
        where = {"where": self.pick(CONDITIONS)} if self.chance(40) else {}
        return {"event": self.pick(("a", "b", "any", ["a", "b"])), **where}

    def node(self, depth: int, segments: list[str]) -> dict[str, Any]:
        if depth and self.chance(45):
            gate = self.pick(("all", "any", "not"))
            if gate == "not":
                return {"not": self.node(depth - 1, segments)}
            return {gate: [self.node(depth - 1, segments), *self.several(2, lambda: self.node(depth - 1, segments))]}
        names = (
            "did",
            "did",
            "did_not",
            "first_time",
            "aggregate",
            "aggregate",
            "property",
            "bucket",
            "list",
            *(["in_segment"] if segments else []),
        )
        name = self.pick(names)
        if name == "in_segment":
            return {name: self.pick(segments)}
        made: dict[str, Any] = getattr(self, f"_{name}")()
        return {name: made}

    def _did(self) -> dict[str, Any]:
        made = {**self.reference(), "window": self.pick(WINDOWS)}
        if self.chance(70):
            made["count"] = self.pick(COUNTS)
        if self.chance(30):
            made["distinct"] = self.pick(("cat", "n", "amount"))
        return made

    def _did_not(self) -> dict[str, Any]:
        return {**self.reference(), "window": self.pick(WINDOWS)}

    _first_time = _did_not

    def _aggregate(self) -> dict[str, Any]:
        name, comparisons, never_missing = self.pick(self.features)
        return {"feature": name, "compare": self.pick(comparisons), **({} if never_missing else self.missing())}

    def _property(self) -> dict[str, Any]:
        return {**self.pick(PROFILES), **self.missing()}

    def _bucket(self) -> dict[str, Any]:
        return {"salt": self.pick(("s", "t")), "range": [0, 50], "of": 100}

    def _list(self) -> dict[str, Any]:
        return {"file": "lists/v.csv", "column": "subject"}

    def missing(self) -> dict[str, Any]:
        return {"missing": self.pick((True, False, "unknown"))} if self.chance(40) else {}

    def events(self) -> tuple[Event, ...]:
        return self.several(14, self.event)

    def event(self) -> Event:
        at, source = self.at(), self.pick(("e1", "e1", "e2"))
        amount = self.pick((None, Decimal("1.00"), Decimal("2.00"), Decimal("2.55"), Decimal("3.10")))
        said: dict[str, Any] = {"amount": amount, "cat": self.pick((None, "x", "y", "X"))}
        if source == "e1":
            said |= {
                "n": self.pick((None, 1, 2, 3)),
                "ts": self.pick((None, START, START + 2 * DAY)),
                "flag": self.pick((None, True, False)),
            }
        return Event(
            source, self.pick(SUBJECTS), f"i{self.random.randrange(10)}", self.pick("abc"), at, self.received(at), said
        )

    def profile(self) -> Profile:
        at = self.at()
        values: dict[str, tuple[Any, ...]] = {
            "country": ("DE", "FR", "US", None),
            "birth_date": (date(2007, 4, 1), date(2004, 2, 29), date(2007, 3, 31), date(2009, 3, 31), date(2009, 4, 1), None),
            "timezone": ("America/New_York", "Asia/Tokyo", "nope", None),
            "vip": (True, False),
            "score": (Decimal("1.50"), Decimal("2.00")),
        }
        said = {name: self.pick(choices) for name, choices in values.items() if self.chance(60)}
        return Profile(
            "prof", self.pick(SUBJECTS), at, self.received(at), said, self.pick(("delta", "delta", "snapshot"))
        )

    def consents(self) -> tuple[Consent, ...]:
        early, grants = START - DAY, []
        for subject in SUBJECTS:
            for number, purpose in enumerate("pq"):
                if self.chance(80):
                    grants.append(
                        Consent(
                            "led",
                            subject,
                            f"g{number}",
                            purpose,
                            "GRANT",
                            early,
                            early,
                            method="interactive",
                            actor="subject",
                        )
                    )
        return (*grants, *self.several(5, self.consent))

    def consent(self) -> Consent:
        at, action = (
            self.at(),
            self.pick(
                (
                    "GRANT",
                    "GRANT",
                    "WITHDRAW",
                    "DENY",
                    "OBJECT",
                    "UNOBJECT",
                    "RESTRICT",
                    "UNRESTRICT",
                    "INVALIDATE",
                    "ERASE",
                )
            ),
        )
        for_all = action in ("WITHDRAW", "RESTRICT") and self.chance(30)
        return Consent(
            source="led",
            subject=self.pick(SUBJECTS),
            event_id=f"c{self.random.randrange(6)}",
            purpose="*" if for_all else self.pick(("p", "q")),
            action=action,
            claimed_at=at,
            received_at=self.received(at),
            purpose_major=self.pick((1, 1, 2)),
            channel=self.pick(("*", "*", "*", "email")),
            claimed_precision=self.pick(("us", "us", "s", "day")),
            expires_at=self.pick((None, None, at + DAY)),
            payload_kind=self.pick(("delta", "delta", "delta", "snapshot")),
            method=self.pick(("import", "interactive")),
            actor=self.pick(("system", "subject")),
            retroactive=self.chance(50),
        )
