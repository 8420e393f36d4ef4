"""What a stream tells Prometheus: numbers of its commits, and how old what is published has become since."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from runners.publishing.staging import BESIDE, FATES
from runners.runs.running import Outcome
from runners.streams.streaming import Committed, Stream
from runners.warehouses.lake import Lake, quoted
from schemas.errors import CallError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Told = Outcome | Committed
_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SECOND = 1_000_000
_COUNTERS = {
    "records_late_used": "Records that were late, and used all the same.",
    "records_conflicts": "Records that lost to one of the same id with other content.",
    "corrections": "Changes of what had been published about the past.",
    "subjects_made_anew": "Subjects that were made anew from the warehouse, for news that their state had forgotten the like of.",
    "commits": "Runs that were published, the one that caught up among them.",
}
_GAUGES = {
    "watermark_lag_seconds": "How far T, the slowest watermark of all partitions that are not idle, lay behind at the last cut.",
    "freshness_seconds": "For how long anything that was read has waited to be published.",
    "subjects_waiting": "Subjects who will enter or leave a segment if nothing more comes.",
    "state_bytes": "Size of the states of all shards.",
}
_SECONDS = "From closing a cut to having published it."
_AGE = "Time since the newest receipt of a source of consents."


class Address(NamedTuple):
    """Where metrics are served."""

    host: str
    port: int


class Written(NamedTuple):
    """What a run has written, and what the warehouse holds since; nothing is counted of a run that published nothing.

    Attributes:
      fates: FATES and BESIDE -> records.
      corrections: changes of what had been published of the past.
      consents: source -> its newest receipt, int64 microseconds UTC.
    """

    fates: Mapping[str, int]
    corrections: int
    state_bytes: int
    consents: Mapping[str, int]

    @classmethod
    def of(cls, lake: Lake, told: Told) -> "Written":
        """What the tables say."""
        run = f"run_id = {quoted(told.published.run_id if told.published.status == 'published' else '')}"
        names = (*FATES, *BESIDE)
        with lake.snapshot():
            fates = lake.rows(f"SELECT {', '.join(names)} FROM run_manifest WHERE {run}")
            corrections = lake.value(f"SELECT count(*) FROM segment_changes WHERE {run} AND kind = 'corrected'")
            state_bytes = lake.value("SELECT coalesce(sum(bytes), 0) FROM kernel_state")
            consents = lake.rows("SELECT source, max(epoch_us(received_at)) FROM consents GROUP BY source")
        counts = dict(zip(names, fates[0], strict=True)) if fates else {}
        return cls(counts, int(corrections), int(state_bytes), dict(consents))


class Meters:
    """The numbers of one stream, since it began.

    Args:
      consents: the sources of consents.
      now: the clock that T is told by, int64 microseconds UTC.
      whole_at: asked for the instant up to which all that was read is published.
    """

    def __init__(self, consents: Collection[str], now: Callable[[], int], whole_at: Callable[[], int]) -> None:
        import prometheus_client as prometheus

        prometheus.disable_created_metrics()
        self.now, self.registry = now, prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        own = {"namespace": "segue", "registry": self.registry}
        self._records = prometheus.Counter("records", "Records that were read, by what became of them.", ["fate"], **own)
        self._counters = {name: prometheus.Counter(name, said, **own) for name, said in _COUNTERS.items()}
        self._gauges = {name: prometheus.Gauge(name, said, **own) for name, said in _GAUGES.items()}
        self._seconds = prometheus.Histogram("commit_seconds", _SECONDS, buckets=_BUCKETS_S, **own)
        ages = prometheus.Gauge("consent_source_age_seconds", _AGE, ["source"], **own)
        self._gauges["freshness_seconds"].set_function(lambda: self._since(whole_at()))
        self._heard = dict.fromkeys(consents, -math.inf)
        for source in consents:
            ages.labels(source).set_function(partial(self._age, source))
        for fate in FATES:
            self._records.labels(fate)

    def _age(self, source: str) -> float:
        return self._since(self._heard[source])

    def _since(self, at: float) -> float:
        return max(0.0, (self.now() - at) / _SECOND)

    def note(self, told: Told, written: Written) -> None:
        """A run has ended, or a cut was closed."""
        is_published = told.published.status == "published"
        for fate in FATES:
            self._records.labels(fate).inc(written.fates.get(fate, 0))
        beside = {f"records_{name}": written.fates.get(name, 0) for name in BESIDE}
        more = {"corrections": written.corrections, "subjects_made_anew": told.remade, "commits": is_published}
        for name, count in {**beside, **more}.items():
            self._counters[name].inc(count)
        self._heard |= {source: at for source, at in written.consents.items() if source in self._heard}
        self._gauges["state_bytes"].set(written.state_bytes)
        self._gauges["watermark_lag_seconds"].set(self._since(told.t_at))
        if isinstance(told, Committed):
            self._gauges["subjects_waiting"].set(told.waiting)
        if isinstance(told, Committed) and is_published:
            self._seconds.observe(told.seconds)


@contextmanager
def metered(stream: Stream, address: Address | None) -> Iterator[Callable[[Told], None]]:
    """Serve the numbers of a stream, if an address is given. Gives what is to be told of each run and cut.

    Errors: CallError where they can not be served.
    """
    if address is None:
        yield lambda told: None
        return
    meters = _of(stream)
    with _served(meters.registry, address):
        yield lambda told: meters.note(told, Written.of(stream.lake, told))


def _of(stream: Stream) -> Meters:
    try:
        return Meters(stream.project.of_kind("consents"), stream.now, lambda: stream.whole_at)
    except ModuleNotFoundError as missing:
        hint = "pip install 'segue[metrics]'"
        raise CallError("SEG-0917", "metrics are served with prometheus-client, which is not installed", hint) from missing


@contextmanager
def _served(registry: "CollectorRegistry", address: Address) -> Iterator[None]:
    """Errors: CallError where the address is taken, or is none of this machine."""
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(address.port, address.host, registry)
    except OSError as failed:
        message = f"metrics can not be served at {address.host}:{address.port}: {(failed.strerror or 'no').lower()}"
        raise CallError("SEG-0917", message, "give another --metrics-port or --metrics-host") from failed
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
