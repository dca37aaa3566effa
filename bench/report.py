"""The report of a run, in Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bench.figures import Sample, median, percentile
from bench.machine import Memory
from bench.measure import Growth, Invitations
from bench.parts import HEADINGS
from bench.recognition import Costs
from bench.tables import Verdict, listed, table, verdict, verdict_table

LEVELS = (1, 8, 32)
"""Numbers of conversations at once."""

_MEGABYTE = 1024**2


@dataclass
class Results:
    """All that one run measured; what was not measured is absent.

    Attributes:
        titles: Name of each road by its key.
        samples: By road and number of conversations.
        growth: By road.
        memory: By road and process.
        notes: Lines on how it was measured (machine, versions, model, load).
        parts: Sections of the parts that are measured alone as well, by their names.
    """

    began: datetime
    titles: dict[str, str] = field(default_factory=dict)
    samples: dict[tuple[str, int], Sample] = field(default_factory=dict)
    growth: dict[str, Growth] = field(default_factory=dict)
    memory: dict[str, Mapping[str, Memory]] = field(default_factory=dict)
    invitations: Invitations | None = None
    costs: Costs | None = None
    notes: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)


def verdicts(results: Results) -> list[Verdict]:
    """Hold the results against the targets.

    Args:
        results: Of a run.

    Returns:
        A verdict for each target, also for those that were not measured.
    """
    samples, memory = results.samples, results.memory
    stock, ours = samples.get(("a", 8)), samples.get(("c", 8))
    rest, desk = samples.get(("b", 1)), samples.get(("c", 1))
    long = results.growth.get("c")
    rasa = memory.get("c", {}).get("rasa")
    desk_memory = memory.get("c", {}).get("desk")
    seen = results.invitations
    return [
        verdict(
            "c carries at least 2.5 times the messages of a, 8 conversations",
            ours.rate / stock.rate if stock and ours else None,
            lambda times: times >= 2.5,
            "{:.2f} times",
        ),
        verdict(
            "c takes at most 10 ms more than b, median, 1 conversation",
            desk.median - rest.median if rest and desk else None,
            lambda more: more <= 10,
            "{:+.1f} ms",
        ),
        verdict(
            "c: message 500 takes at most 1.5 times as long as message 5",
            long.ratio if long else None,
            lambda times: times <= 1.5,
            "{:.2f} times",
        ),
        verdict(
            "c: post in public to reply and invitation, median, idle: under 2 s",
            max(median(seen.to_reply), median(seen.to_invitation)) if seen else None,
            lambda seconds: seconds < 2,
            "{:.3f} s",
        ),
        verdict(
            "c: Rasa process under 900 MB at its peak",
            rasa.peak / _MEGABYTE if rasa else None,
            lambda size: size < 900,
            "{:.0f} MB",
        ),
        verdict(
            "c: desk under 150 MB at its peak",
            desk_memory.peak / _MEGABYTE if desk_memory else None,
            lambda size: size < 150,
            "{:.0f} MB",
        ),
        *_cost_verdicts(results.costs),
    ]


def _cost_verdicts(costs: Costs | None) -> list[Verdict]:
    return [
        verdict(
            "anger and signals of a message of 60 characters: at most 3 ms, median, one core",
            costs.emotion_ms if costs else None,
            lambda took: took <= 3,
            "{:.2f} ms",
        ),
        verdict(
            "the whole NLU of that message: at most 15 ms, median, one core",
            costs.parse_ms if costs else None,
            lambda took: took <= 15,
            "{:.1f} ms",
        ),
        verdict(
            "training everything: at most 4 minutes",
            costs.training_s / 60 if costs else None,
            lambda minutes: minutes <= 4,
            "{:.1f} minutes",
        ),
        verdict(
            "the recogniser on disk: at most 60 MB",
            costs.emotion_disk / _MEGABYTE if costs else None,
            lambda size: size <= 60,
            "{:.0f} MB",
        ),
        verdict(
            "the recogniser in memory: at most 300 MB",
            costs.emotion_memory / _MEGABYTE if costs else None,
            lambda size: size <= 300,
            "{:.0f} MB",
        ),
    ]


def render(results: Results) -> str:
    """Write the report.

    Args:
        results: Of a run.

    Returns:
        Markdown, ending in a line break.
    """
    parts = [
        "# Speed and size",
        _INTRODUCTION,
        f"Measured on {results.began:%Y-%m-%d %H:%M} UTC.",
        listed(results.notes),
        "## Targets",
        verdict_table(verdicts(results)),
    ]
    if results.samples:
        parts += ["## Conversations at once", _load_table(results)]
    if results.growth:
        parts += ["## Early and late in one conversation", _growth_table(results)]
    if results.invitations:
        parts += ["## From an angry post to the invitation", _invitation_table(results.invitations)]
    if results.memory:
        parts += ["## Memory", _memory_table(results)]
    parts += [results.parts[name] for name in HEADINGS if name in results.parts]
    parts += ["## How it is measured", _METHOD]
    return "\n\n".join(part for part in parts if part) + "\n"


def _load_table(results: Results) -> str:
    rows = []
    for level in sorted({level for _, level in results.samples}):
        for key, title in results.titles.items():
            sample = results.samples.get((key, level))
            if sample:
                used = ", ".join(
                    f"{name} {sample.processor_of(name):.1f}" for name in sample.processor
                )
                rows.append(
                    (
                        str(level),
                        f"{key}: {title}",
                        f"{sample.median:.1f}",
                        f"{sample.p95:.1f}",
                        f"{sample.rate:.1f}",
                        str(len(sample.latencies)),
                        str(sample.unanswered),
                        used,
                    )
                )
    head = (
        *("conversations", "road", "median ms", "p95 ms", "messages/s", "messages"),
        *("unanswered", "CPU ms a message"),
    )
    return table(head, rows)


def _growth_table(results: Results) -> str:
    rows = [
        (
            f"{key}: {results.titles[key]}",
            f"{one.early_ms:.1f} (message {one.early})",
            f"{one.late_ms:.1f} (message {one.late})",
            f"{one.ratio:.2f}",
            str(one.conversations),
        )
        for key, one in results.growth.items()
    ]
    return table(("road", "early, ms", "late, ms", "times", "conversations"), rows)


def _invitation_table(seen: Invitations) -> str:
    rows = [
        (name, f"{median(taken):.3f}", f"{percentile(taken, 0.95):.3f}", str(len(taken)))
        for name, taken in (
            ("public reply", seen.to_reply),
            ("invitation", seen.to_invitation),
        )
    ]
    return table(("until", "median s", "p95 s", "posts"), rows)


def _memory_table(results: Results) -> str:
    rows = [
        (f"{key}: {results.titles[key]}", name, _megabytes(memory.now), _megabytes(memory.peak))
        for key, processes in results.memory.items()
        for name, memory in processes.items()
    ]
    return table(("road", "process", "at the end, MB", "peak, MB"), rows)


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:.0f}"


_INTRODUCTION = """\
Written by `make bench`. Three roads from a customer's message to the answer, measured in turns in
one run, on one machine, with the same training data, domain, rules, stories, actions and words:

- **a**: stock Rasa as it is set up for Chinese (`bench/stock/config.yml`: jieba, word and
  character counts, DIET, Memoization, RulePolicy, UnexpecTED, TED), its `rest` channel, its SQL
  tracker store on SQLite, its own choice of words, stock `rasa-sdk` action server
- **b**: our `config.yml` and `endpoints.yml` (our recognisers of entities, anger and intents;
  RulePolicy and Memoization; our tracker store, action call and selector of words), the same
  `rest` channel
- **c**: all of Huixin: WebSocket page, desk (stored, routed), Rasa, actions, commit, event on the
  page; every message and answer is on disk before it is shown"""

_METHOD = f"""\
- Each customer goes through a story of 20 messages (complaint, order and phone, why, progress,
  more, think over, accept, thanks, then questions, greetings and thanks; `bench/script.py`), then
  another one comes. Customers send the next message as soon as they have the answer.
- Conversations are opened before the clock runs; for c that is an angry post in the public room,
  the invitation and the private chat.
- The roads take turns in every round, so that a slow minute of the machine meets all of them.
  The load comes from one process on the same machine.
- Latency is the time from sending a message to having the bot's answer; for c that is the event
  on the page's socket.
- Without our recogniser the actions hear no anger behind a, and put the case into a person's
  hands after a few messages: its turns say less than those of b and c, which is in its favour.
  Behind `rest` nobody takes the case over, so a and b go on answering. Had the bot of c handed a
  conversation over, the rest of it would not have been sent, and counted as unanswered.
- Early and late in a conversation: a customer who cannot decide talks on about an offer while all
  else is idle; the median over the 20 messages from there on, the same ten twice.
- The parts that say when they were measured can be measured alone, which writes them anew:
  {", ".join(f"`python -m bench --only {part}`" for part in HEADINGS)}.
- Memory is resident memory; the action server of a runs as two processes, added up.
- CPU time tells what a message costs each process, whatever else the machine does.
- Levels: {", ".join(str(level) for level in LEVELS)} conversations."""
