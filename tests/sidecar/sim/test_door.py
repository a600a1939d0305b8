"""Faults at the receiver's door: what is drawn, what a sender sees of it, and that nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from evidence.soak.faults import Fault
from sidecar.journal import JournalReader, JournalWriter
from sidecar.otlp.signal import OtlpSignal
from sidecar.receiver.admission import Accepted, Refused
from sidecar.sim.door import Door, Relay, Weather
from tests.sidecar.receiver.world import traces

BODY = traces(1).SerializeToString()


def weather(*faults: Fault, seed: int = 7, iteration: int = 1) -> Weather:
    made = Weather()
    made.begin(faults, seed, iteration)
    return made


async def never() -> None:
    raise AssertionError("no restart was drawn")


def requests(of: Weather, count: int = 200) -> list[tuple[float, float | None, bool]]:
    return [of.request() for _ in range(count)]


def test_the_same_requests_meet_the_same_faults_each_time():
    faults = (Fault(kind="refuse", chance=0.5, seconds=0.2), Fault(kind="delay", chance=0.5, seconds=0.5))
    assert requests(weather(*faults)) == requests(weather(*faults))
    assert requests(weather(*faults)) != requests(weather(*faults, iteration=2))
    assert requests(weather(*faults)) != requests(weather(*faults, seed=8))
    counts = Counter(come_back for _, come_back, _ in requests(weather(*faults)))
    assert counts.keys() == {0.2, None}
    assert all(0 <= wait < 0.5 for wait, _, _ in requests(weather(*faults)))


def test_a_sidecar_restarts_once_an_iteration_at_most():
    drawn = weather(Fault(kind="restart", chance=1.0))
    assert [restarts for _, _, restarts in requests(drawn, 5)] == [True, False, False, False, False]
    drawn.begin((Fault(kind="restart", chance=1.0),), 7, 2)
    assert drawn.request()[2]


def test_calm_weather_has_no_faults():
    calm = weather(Fault(kind="refuse", chance=1.0, seconds=1.0), Fault(kind="reset", chance=1.0, octets=10))
    calm.calm()
    assert requests(calm, 3) == [(0.0, None, False)] * 3
    assert calm.connection() is None


async def test_a_refusal_is_an_answer_and_leaves_nothing_in_the_journal(tmp_path):
    journal = JournalWriter.open(tmp_path)
    refusing = Door(journal, weather(Fault(kind="refuse", chance=1.0, seconds=0.2)), never)
    refused = await refusing.telemetry(OtlpSignal.TRACES, "protobuf", BODY)
    taken = await Door(journal, weather(), never).telemetry(OtlpSignal.TRACES, "protobuf", BODY)
    journal.close()
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.retry_after_seconds) == ("overloaded", 0.2)
    assert taken == Accepted()
    assert [frame.body for frame in JournalReader(tmp_path).frames(0)] == [BODY]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1000):
        writer.write(piece)
        await writer.drain()
    writer.close()


async def relayed(of: Weather, data: bytes, *, up: bool = True) -> bytes | None:
    """What comes back through a relay to an echo; None for a connection that is reset."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    relay = Relay(of)
    await relay.start()
    relay.upstream = server.sockets[0].getsockname() if up else None
    host, _, port = relay.address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(-1), 20)
    except ConnectionResetError:
        return None
    finally:
        await relay.stop()
        server.close()


async def test_a_relay_passes_everything_on_both_ways():
    data = bytes(range(256)) * 4000
    assert await relayed(weather(), data) == data


async def test_a_connection_is_reset_after_so_many_bytes():
    assert await relayed(weather(Fault(kind="reset", chance=1.0, octets=500)), bytes(10_000)) is None


async def test_without_a_server_behind_it_a_connection_is_reset_at_once():
    assert await relayed(weather(), b"hello", up=False) is None


@pytest.mark.parametrize("octets", [0, 1, 1000])
def test_a_reset_comes_within_the_bytes_that_the_profile_names(octets):
    drawn = weather(Fault(kind="reset", chance=1.0, octets=octets))
    assert all(0 <= (drawn.connection() or 0) <= octets for _ in range(100))
