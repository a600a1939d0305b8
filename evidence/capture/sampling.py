"""What sampling says about an item: that it was not to be kept, or that others like it were not.

https://www.w3.org/TR/trace-context-2/#trace-flags and
https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/

Law: only what is written counts. Many exporters leave the byte of trace flags empty for spans that were sampled, so an
empty byte says nothing; a byte in which another flag stands and the sampled one does not says that it was not sampled.
"""

import re

_TRACE_FLAGS = 0xFF  # the low byte of the flags of an OTLP span or log record
_SAMPLED = 0x01
_THRESHOLD = re.compile(r"(?:^|,)[ \t]*ot=(?:[^,;]*;)*th:([0-9a-f]{1,14})[ \t]*(?:[;,]|$)", re.ASCII)


def is_unsampled(flags: int) -> bool:
    """Whether the trace flags of an item are there and say that its trace was not sampled."""
    written = flags & _TRACE_FLAGS
    return bool(written) and not written & _SAMPLED


def is_thinned(trace_state: object) -> bool:
    """Whether a trace state says that its span was kept by chance: a rejection threshold above 0 in the `ot` member.

    The threshold is the share that is thrown away, in 56 bits of which trailing zeros are not written: `th:0` keeps
    everything, `th:8` half.
    """
    if not isinstance(trace_state, str):
        return False
    found = _THRESHOLD.search(trace_state)
    return found is not None and int(found[1], 16) > 0
