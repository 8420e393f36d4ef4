"""Random worlds: few ids, instants and sources, so that ties, boundaries and refusals are common. Every choice is the seed's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from tests.support.oracle_model import DAY, HOUR, Consent, Event, Link, Profile, Score, World, start_of_date, zone_named

Choice = TypeVar("Choice")
SUBJECTS = ("u1", "u2", "u3")
LINKED = ("u0", *SUBJECTS)
"""Whom links name: `u0` has no other facts."""
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
    {"session": {"gap": "6h"}},
    {"session": {"gap": "24h"}},
    {"since": "a"},
    {"since": {"event": "b", "where": "amount >= 2"}},
)
CONDITIONS = (
    *("amount >= 2", "cat = 'x'", "cat != 'x' OR n IS NULL", "n IN (1, 2)", "NOT (n > 1)", "event = 'a'"),
    *("lower(cat) = 'x' AND amount < 3", "coalesce(n, 0) < 2", "round(amount) = 3", "starts_with(cat, 'X')"),
)
PLACES = (
    *((None, None), (Decimal("52.5200"), Decimal("13.4000")), (Decimal("52.5300"), Decimal("13.4000"))),
    *((Decimal("48.8500"), None), (Decimal("-33.9000"), Decimal("151.2000")), (Decimal("52.9000"), Decimal("13.5000"))),
)
CHANGES = ("> 0", "<= -50%", "= 0", ">= 100%", "between -1 and 1", "< 0.5", "is null", "!= 50%", "> -33.3%")
LENGTHS = ("1h", "12h", "1d", "36h", "2d")
UNITS = ("day", "day", "week", "month")
PHASES = ("new", "retained", "resurrected", "dormant", "lost", "never")
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
    "None": (),
    **dict.fromkeys(("count of all", "distinct of all", "days_active of all"), (">= 2", "= 1", "< 1", "IN (0, 2)")),
    **dict.fromkeys(("top_k of all", "list of all"), ("is null", "is not null")),
    "share of all": ("> 0.5", "= 1", "<= 0.25", "= 0", "is null", "between 0.3 and 0.7"),
    "variance of all": ("> 0.5", "= 0", "<= 0.25", "is null", "!= 0.3025"),
}
COLUMNS: dict[str, tuple[str | None, ...]] = {
    "count": (None,),
    "days_active": (None,),
    **dict.fromkeys(("sum", "mean", "variance"), ("amount", "n")),
    **dict.fromkeys(("min", "max", "percentile"), ("amount", "n", "cat", "ts")),
    **dict.fromkeys(("distinct", "first", "last", "most_frequent"), ("amount", "n", "cat", "ts", "flag")),
    **dict.fromkeys(("top_k", "list", "share"), ("amount", "n", "cat", "ts", "flag")),
}
NEVER_MISSING = ("count", "sum", "distinct", "days_active", "top_k", "list")
SHARED: dict[str, tuple[Any, ...]] = {
    "amount": (2, 2.55),
    "n": (1, 2),
    "cat": ("x", "y"),
    "ts": ("2025-03-30T00:00:00Z", "2025-03-28T00:00:00+01:00"),
    "flag": (True, False),
}
MODELS = ("m", "n")
LABELS = ("loyal", "lost", "new")
SCORES = (">= 0.5", "< 0.5", "= 0.25", "between 0.25 and 0.75", "!= 2", "> 1", "IN (0.5, 2)")
PUBLISHED: tuple[tuple[float | None, str | None], ...] = (
    *((0.25, None), (0.5, None), (0.75, "loyal"), (2.0, "lost"), (None, "loyal"), (None, "lost"), (0.5, "other")),
)


class Generator:
    """Draws one world from a source of randomness; where asked, a third of them with links, and a third with scores."""

    def __init__(
        self, random: Random, merges: bool = False, scored: bool = False, pairs: Sequence[tuple[str, str]] = ()
    ) -> None:
        """`pairs`: operators that each of the later segments asks for together, one pair a segment."""
        self.pairs = pairs
        self.random = random
        self.merges = merges and self.chance(34)
        self.scored = scored and self.chance(34)
        self.instants = [
            START + self.pick((0, 6, 18, 23, 24)) * HOUR + self.pick(range(7)) * DAY + self.pick((0, 1, -1))
            for _ in range(6)
        ]
        self.features: list[tuple[str, tuple[str, ...], bool]] = []
        self.numbers: list[tuple[str, str]] = []
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
        drawn = World(self.project(), self.events(), self.several(5, self.profile), self.consents())
        return self._linked(replace(drawn, links=self.links(), scores=self.scores()))

    def _linked(self, drawn: World) -> World:
        """With what makes it matter whose consent, country and age hold: more rows of the ledger and of profiles."""
        said = tuple(row for link in drawn.links for row in self.said_around(link))
        lived = self.several(6, self.profile) if drawn.links else ()
        return replace(drawn, consents=(*drawn.consents, *said), profiles=(*drawn.profiles, *lived))

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
                        "lat": "decimal(8,4)",
                        "lon": "decimal(8,4)",
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
                **({"ids": {"kind": "identities", **self.most_links()}} if self.merges else {}),
                **({"models": {"kind": "scores"}} if self.scored else {}),
            },
            "lists": {"lists/v.csv": {"subject": {"u1", "zz"}}},
            "polygons": {"lists/area.geojson": [(13.0, 52.0), (14.0, 52.0), (14.0, 53.0), (13.5, 52.5), (13.0, 53.0)]},
        }

    def purposes(self) -> list[dict[str, Any]]:
        basis = self.pick(({"default": "consent"}, {"default": "consent", "DE": "legitimate_interest"}))
        one: dict[str, Any] = {"id": "p", "basis": self.pick(("legitimate_interest", "consent"))}
        other: dict[str, Any] = {"id": "q", "basis": basis}
        if self.merges:  # so that whose consent, country and age hold is asked of most segments
            one["basis"] = self.pick(("legitimate_interest", "consent", {"default": "consent", "DE": "legitimate_interest"}))
            one |= {"min_age": 14} if self.chance(20) else {}
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
            aggregate |= self._said(op, str(of))
            comparisons = COMPARISONS.get(f"{op} of all", COMPARISONS[str(of)])
            self.features.append((f"grp.f{number}_{suffix}", comparisons, op in NEVER_MISSING))
            if op in ("count", "distinct", "days_active", "share") or (of in ("amount", "n") and op not in ("top_k", "list")):
                self.numbers.append((f"grp.f{number}", op))
            made.append(aggregate)
        return made

    def _said(self, op: str, of: str) -> dict[str, Any]:
        """What an operation takes beside its column."""
        choices: dict[str, tuple[str, tuple[Any, ...]]] = {
            "percentile": ("p", (0.5, 0.9, 0, 1, 0.34)),
            "top_k": ("k", (1, 2)),
            "list": ("n", (1, 3)),
            "share": ("value", SHARED.get(of, ())),
        }
        return {choices[op][0]: self.pick(choices[op][1])} if op in choices else {}

    def segments(self) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for number in range(3):
            names = [segment["segment"] for segment in made]
            purpose: Any = "p" if number < 2 else self.pick(("p", ["p", "q"]))
            population = self.pick(
                ("known_subjects", "known_subjects", {"active_in": "2d"}, *({"in_segment": name} for name in names[:1]))
            )
            made.append(
                {"segment": f"s{number}", "purpose": purpose, "population": population, "when": self.when(number, names)}
            )
        return made

    def when(self, number: int, segments: list[str]) -> dict[str, Any]:
        if not 0 < number <= len(self.pairs):
            return self.node(2, segments)
        two = [self.leaf(name, segments) for name in self.pairs[number - 1]]
        return {self.pick(("all", "any")): [{"not": one} if self.chance(30) else one for one in two]}

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
            *("first_time", "nth", "last", "context", "regularly", "sequence", "sequence", "inaction"),
            *("stopped", "restarted", "lifecycle", "geo"),
            *(["trend"] if self.numbers else []),
            "aggregate",
            "aggregate",
            "property",
            "bucket",
            "list",
            *(["in_segment"] if segments else []),
            *(["rfm", "persona", "score", "score"] if self.scored else []),
        )
        return self.leaf(self.pick(names), segments)

    def leaf(self, name: str, segments: list[str]) -> dict[str, Any]:
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

    def _nth(self) -> dict[str, Any]:
        return {**self._did_not(), "n": self.pick((1, 2, 3))}

    def _last(self) -> dict[str, Any]:
        return {**self._did_not(), "having": self.pick(CONDITIONS), **self.missing()}

    def _context(self) -> dict[str, Any]:
        return {"where": self.pick(CONDITIONS), "window": self.pick(WINDOWS), **self.missing()}

    def _regularly(self) -> dict[str, Any]:
        made = {**self.reference(), "at_least": self.pick((1, 2)), "of_last": self.pick((2, 3))}
        return {**made, "period": self.pick(UNITS), **self.zone()}

    def _sequence(self) -> dict[str, Any]:
        made: dict[str, Any] = {"steps": [self.reference(), *(self.reference() for _ in range(self.pick((1, 1, 2, 3))))]}
        for key, choices, percent in (
            ("within", LENGTHS, 50),
            ("gap", LENGTHS, 40),
            ("bind", (["cat"], ["n"], ["cat", "n"]), 30),
            ("unless", ("c", "any", {"event": "b", "where": "amount >= 2"}), 40),
            ("order", ("any", "listed"), 60),
            ("window", WINDOWS, 70),
        ):
            if self.chance(percent):
                made[key] = self.pick(choices)
        return made

    def _inaction(self) -> dict[str, Any]:
        made = {"after": self.reference(), "not": self.reference(), "for": self.pick(("1h", "1d", "36h"))}
        if self.chance(40):
            made["bind"] = self.pick((["cat"], ["n"]))
        return {**made, **({"within": self.pick(("2d", "3d"))} if self.chance(50) else {})}

    def _stopped(self) -> dict[str, Any]:
        return {**self.reference(), "active": self.pick(LENGTHS), "quiet": self.pick(LENGTHS)}

    def _restarted(self) -> dict[str, Any]:
        before = {"active_before": self.pick(LENGTHS)} if self.chance(50) else {}
        return {**self._stopped(), **before}

    def _lifecycle(self) -> dict[str, Any]:
        phases = [phase for phase in PHASES if self.chance(40)] or [self.pick(PHASES)]
        period: Any = self.pick(LENGTHS) if self.chance(50) else {"unit": self.pick(UNITS), **self.zone()}
        return {**self.reference(), "period": period, "in": phases}

    def _geo(self) -> dict[str, Any]:
        of = self.pick(([52.52, 13.4], [48.85, 2.35], [-33.9, -28.8]))
        circle = {"within_km": self.pick((0, 1, 1.2, 50, 20_000)), "of": of}
        return {**self._did_not(), **self.pick((circle, {"polygon": "lists/area.geojson"}))}

    def _trend(self) -> dict[str, Any]:
        name, op = self.pick(self.numbers)
        this = self.pick(LENGTHS)
        vs = self.pick(LENGTHS) if op in ("count", "sum") else this
        return {"feature": name, "this": this, "vs": vs, "change": self.pick(CHANGES), **self.missing()}

    def zone(self) -> dict[str, Any]:
        return {"tz": self.pick(("profile", "profile", "America/New_York", "project"))} if self.chance(60) else {}

    def _aggregate(self) -> dict[str, Any]:
        name, comparisons, never_missing = self.pick(self.features)
        return {"feature": name, "compare": self.pick(comparisons), **({} if never_missing else self.missing())}

    def _property(self) -> dict[str, Any]:
        return {**self.pick(PROFILES), **self.missing()}

    def _bucket(self) -> dict[str, Any]:
        return {"salt": self.pick(("s", "t")), "range": [0, 50], "of": 100}

    def _list(self) -> dict[str, Any]:
        return {"file": "lists/v.csv", "column": "subject"}

    def _rfm(self) -> dict[str, Any]:
        labels = [label for label in LABELS if self.chance(50)] or [self.pick(LABELS)]
        return {"model": self.pick(MODELS), "in": labels, **self.missing()}

    _persona = _rfm

    def _score(self) -> dict[str, Any]:
        return {"model": self.pick(MODELS), "compare": self.pick(SCORES), **self.missing()}

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
            said |= dict(zip(("lat", "lon"), self.pick(PLACES), strict=True))
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

    def most_links(self) -> dict[str, Any]:
        return {"max_links": self.pick((2, 3))} if self.chance(25) else {}

    def links(self) -> tuple[Link, ...]:
        return (self.link(), *self.several(5, self.link)) if self.merges else ()

    def link(self) -> Link:
        """Few ids and few instants: chains, cycles and ties come of themselves. Some are known before their instant."""
        at, from_id = self.at(), self.pick(LINKED)
        others = [one for one in LINKED if one != from_id]
        to_id = "" if self.chance(20) else from_id if self.chance(3) else self.pick(others)
        received = at - DAY if self.chance(10) else self.received(at)
        return Link("ids", f"f\0{self.random.randrange(10**15):020d}", from_id, to_id, at, received)

    def said_around(self, link: Link) -> tuple[Consent, ...]:
        """What its ids say near its instant: a refusal of one and a grant of the other decide what flows when."""
        return tuple(self._said_near(link, who) for who in (link.from_id, link.to_id) if who and self.chance(70))

    def _said_near(self, link: Link, who: str) -> Consent:
        at = link.linked_at + self.pick((-DAY, -HOUR, -1, 0, HOUR, DAY))
        action = self.pick(("GRANT", "GRANT", "GRANT", "WITHDRAW", "WITHDRAW", "OBJECT", "RESTRICT", "UNRESTRICT", "INVALIDATE"))
        number, personal = self.random.randrange(10**6), {"method": "interactive", "actor": "subject"}
        return Consent("led", who, f"n{number}", self.pick("pq"), action, at, at, **personal, retroactive=self.chance(50))

    def scores(self) -> tuple[Score, ...]:
        return (self.score(), *self.several(7, self.score)) if self.scored else ()

    def score(self) -> Score:
        at, (value, label) = self.at(), self.pick(PUBLISHED)
        received = at - DAY if self.chance(10) else self.received(at)
        subject, model, version = self.pick(SUBJECTS), self.pick(MODELS), self.pick(("1", "2"))
        return Score("models", subject, model, version, at, received, value, label)
