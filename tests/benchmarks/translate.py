"""What translating costs, protobuf in to protobuf out: the named cases, the corpus by profile, and how the cost grows.

Run by `make bench`. Prints figures of one run on this machine; docs/performance.md says how to read them. Nothing here judges.

A figure is the least CPU time of some rounds, by span; beside it stands how many times that is of what protobuf's own parsing and writing of
the same bytes cost in the same rounds. What attributes were read before is forgotten at the start of each round; plans are kept, as
a sidecar has them after its first seconds.
"""

from __future__ import annotations

import gc
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from semconv import value
from semconv.translate import Translator
from sidecar.journal import Frame
from sidecar.otlp import flat, pair, view
from sidecar.otlp.signal import OtlpSignal
from sidecar.translation import FrameTranslator
from tests.benchmarks import made
from tests.benchmarks.workload import CORPUS, translator

TRACES = OtlpSignal.TRACES
SPANS = 100
ROUNDS = 15
CASES = {
    "in today's conventions": (made.current, "chat gpt-4o", "opentelemetry.instrumentation.openai_v2", 3),
    "nothing of ours": (made.http, "POST /v1/{id}", "opentelemetry.instrumentation.requests", 3),
    "OpenLLMetry of today": (made.openllmetry, "openai.chat", "opentelemetry.instrumentation.openai.v1", 3),
    "OpenLLMetry, indexed messages": (made.indexed, "openai.chat", "opentelemetry.instrumentation.openai.v1", 3),
    "OpenInference": (made.openinference, "ChatCompletion", "openinference.instrumentation.openai", 1),
}


def cpu(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The least CPU seconds of a call of each; they take turns, so that whatever slows the machine meets them alike."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            pair.forget()
            began = time.process_time()
            work()
            least[at] = min(least[at], time.process_time() - began)
    return least


def translated(frames: FrameTranslator, bodies: list[bytes]) -> Callable[[], object]:
    """Work: these bodies, protobuf in to protobuf out. Frame 0 is one that nobody remembers."""
    return lambda: [frames.exported(Frame(0, 1, TRACES, 0, body), keep_unmapped=True) for body in bodies]


def bare(bodies: list[bytes]) -> Callable[[], object]:
    """Work: what protobuf alone costs."""
    return lambda: [ExportTraceServiceRequest.FromString(body).SerializeToString() for body in bodies]


def line(name: str, spans: int, bodies: list[bytes], frames: FrameTranslator, *more: object) -> None:
    """One row: µs a span, and how many times the yardstick's that is."""
    work = translated(frames, bodies)
    work()
    least, yardstick = cpu(work, bare(bodies))
    columns = "".join(f"{column!s:>12}" for column in more)
    print(f"  {name:44}{least / spans * 1e6:9.1f}{least / yardstick:8.0f}{columns}", flush=True)


def named() -> None:
    """The cases of the aims: 17 attributes, and a message of 1.5 KB."""
    print(
        f"\n17 attributes, a message of 1.5 KB, {SPANS} spans a request\n  {'':44}{'µs each':>9}{'x':>8}{'changed':>12}"
    )
    for name, (make, span, scope, kind) in CASES.items():
        body = made.body([make(number) for number in range(SPANS)], name=span, scope=scope, kind=kind)
        frames = FrameTranslator(translator())
        out, _ = frames.exported(Frame(0, 1, TRACES, 0, body), keep_unmapped=True)
        line(name, SPANS, [body], frames, "no" if out is body else "yes")


def by_profile() -> None:
    """Every recorded span, by the profiles that know it."""
    bodies: dict[str, list[bytes]] = defaultdict(list)
    facts: dict[str, Counter[str]] = defaultdict(Counter)
    for request in _recorded():
        for group, scope, spans in TRACES.groups(request):
            around = view.surroundings(group.resource, scope.scope)
            several: dict[str, list[flat.Flat]] = defaultdict(list)
            for span in spans:
                seen = view.span(span, around)
                said = translator().span(seen)
                name = _name(said.profiles)
                several[name].append(span)
                facts[name].update(
                    spans=1, attributes=len(seen.attributes), bytes=span.ByteSize(), changed=said.changed
                )
            for name, some in several.items():
                bodies[name].append(_alone(request, group, scope, some))
    print("\nThe corpus by profile: attributes and bytes of the average span, and how many change")
    print(f"  {'':44}{'µs each':>9}{'x':>8}{'spans':>12}{'attributes':>12}{'bytes':>12}{'changed':>12}")
    for name in sorted(bodies, key=lambda name: -facts[name]["spans"]):
        fact, count = facts[name], facts[name]["spans"]
        columns = (
            count,
            round(fact["attributes"] / count),
            round(fact["bytes"] / count),
            f"{fact['changed'] / count:.0%}",
        )
        line(name, count, bodies[name], FrameTranslator(translator()), *columns)
    everything = [body for several in bodies.values() for body in several]
    spans = sum(fact["spans"] for fact in facts.values())
    line("all of it", spans, everything, FrameTranslator(translator()), spans)


def _name(profiles: tuple[str, ...]) -> str:
    """The vendors' profiles, or what there is."""
    vendors = [profile for profile in profiles if not profile.startswith("otel_")]
    return " + ".join(sorted(vendors or profiles)) or "none"


def _recorded() -> Iterator[flat.Flat]:
    for path in sorted(CORPUS.glob("*/*.traces.otlp.pb")):
        yield flat.parse(TRACES, path.read_bytes())


def _alone(request: flat.Flat, group: flat.Flat, scope: flat.Flat, spans: list[flat.Flat]) -> bytes:
    """A request of these spans with what is around them."""
    out = type(request)()
    around = out.resource_spans.add()
    around.resource.CopyFrom(group.resource)
    within = around.scope_spans.add()
    within.scope.CopyFrom(scope.scope)
    within.spans.extend(spans)
    data: bytes = out.SerializeToString()
    return data


def growth() -> None:
    """Cost by the number of attributes: of a shape that is known, and of one that is met for the first time."""
    print(f"\nµs an attribute, as their number grows\n  {'':44}{'10':>9}{'100':>9}{'1,000':>9}{'10,000':>9}")
    for kind, make, scope in (
        ("nobody's", made.others, "app"),
        ("messages in OpenInference", made.conversation, "openinference.instrumentation.openai"),
    ):
        for what, planner_forgets in (
            ("", ()),
            (", shape not met before", ("_shapes",)),
            (", nor its keys", ("_shapes", "_facts")),
        ):
            row = [_each(make, scope, count, planner_forgets) for count in (10, 100, 1000, 10000)]
            print(f"  {kind + what:44}" + "".join(f"{each * 1e6:9.2f}" for each in row), flush=True)


def _each(make: Callable[..., made.Attributes], scope: str, count: int, planner_forgets: tuple[str, ...]) -> float:
    """CPU seconds an attribute."""
    spans = 1 if planner_forgets else max(1, 1000 // count)
    body = made.body([make(count, number) for number in range(spans)], name="s", scope=scope, kind=1)
    frames = FrameTranslator(translator())
    planner = frames.translator._spans

    def work() -> None:
        for memory in planner_forgets:
            getattr(planner, memory).clear()
        frames.exported(Frame(0, 1, TRACES, 0, body), keep_unmapped=True)

    work()
    (least,) = cpu(work, rounds=7)
    return least / count / spans


def megabyte() -> None:
    """A message of 1 MB, and how often each of the texts it comes in is parsed."""
    print(f"\nA message of 1 MB\n  {'':44}{'ms':>9}{'x':>8}{'parsed':>12}")
    for name, attributes, scope in (
        ("in today's conventions", {**made.current(1), "gen_ai.input.messages": _long_message("content")}, "openai_v2"),
        ("to be changed", {**made.current(1), "gen_ai.input.messages": _long_message("text")}, "openai_v2"),
        ("as input.value", {**made.openinference(1), "input.value": _long_message("content")}, "openinference"),
    ):
        body = made.body([attributes], name="chat gpt-4o", scope=scope, kind=3)
        frames = FrameTranslator(translator())
        work = translated(frames, [body])
        work()
        with counted_parses() as parses:
            work()
        most = max((count for text, count in parses.items() if len(text) > 1 << 20), default=0)
        least, yardstick = cpu(work, bare([body]), rounds=7)
        print(f"  {name:44}{least * 1e3:9.2f}{least / yardstick:8.0f}{most:12}", flush=True)


def _long_message(member: str) -> str:
    part = {"type": "text", member: made.text(1, 1 << 20)}
    return orjson.dumps([{"role": "user", "parts": [part]}]).decode()


class _Counting:
    """orjson, keeping books of what it parses."""

    def __init__(self, parses: Counter[str]) -> None:
        self.parses = parses
        self.dumps = orjson.dumps

    def loads(self, text: str) -> object:
        self.parses[text] += 1
        return orjson.loads(text)


@contextmanager
def counted_parses() -> Iterator[Counter[str]]:
    """How often each text is parsed by the translator while this is open."""
    parses: Counter[str] = Counter()
    with mock.patch.object(value, "orjson", _Counting(parses)):
        yield parses


def loading() -> None:
    """The tables of all profiles, read and compiled."""
    print(f"\nLoading all tables: {cpu(Translator.load, rounds=5)[0] * 1e3:.0f} ms")


if __name__ == "__main__":
    translator()
    gc.collect()
    gc.freeze()
    named()
    by_profile()
    growth()
    megabyte()
    loading()
