"""Prometheus metrics of the desk."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 90)


class Metrics:
    """Counters and histograms, in a registry of their own so that tests do not share them."""

    def __init__(self) -> None:
        """Make all metrics."""
        self._registry = CollectorRegistry()
        self.messages = Counter(
            "huixin_messages_total",
            "Messages of customers, by what became of them",
            ["outcome"],
            registry=self._registry,
        )
        self.answers = Histogram(
            "huixin_answer_seconds",
            "From storing a message to committing its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.rasa = Histogram(
            "huixin_rasa_seconds", "One call of Rasa", buckets=_SECONDS, registry=self._registry
        )
        self.rasa_failures = Counter(
            "huixin_rasa_failures_total", "Calls of Rasa that failed", registry=self._registry
        )
        self.handovers = Counter(
            "huixin_handovers_total",
            "Conversations put into the staff queue",
            ["reason"],
            registry=self._registry,
        )
        self.remedies = Counter(
            "huixin_remedies_total",
            "Remedies by how they ended",
            ["kind", "state"],
            registry=self._registry,
        )
        self.sockets = Gauge("huixin_sockets", "Open sockets", registry=self._registry)
        self.waiting = Gauge(
            "huixin_messages_waiting", "Messages not answered yet", registry=self._registry
        )

        self.webhooks = Counter(
            "huixin_webhook_sends_total",
            "Calls of sources of the generic channel, by how they ended",
            ["source", "outcome"],
            registry=self._registry,
        )
        self.webhooks_paused = Gauge(
            "huixin_webhook_paused",
            "1: the source refuses our signature and is left alone",
            ["source"],
            registry=self._registry,
        )

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
