"""`python -m sidecar.sink`: listen on loopback and write what comes to a file, until SIGTERM or SIGINT.

Prints one line of JSON with the bound addresses when ready, and one with the counts at the end.
"""

import argparse
import signal
import sys
from pathlib import Path

import orjson

from sidecar.sink.grpc_server import GrpcServer
from sidecar.sink.http_server import HttpServer
from sidecar.sink.sink import Sink


def main(arguments: list[str] | None = None) -> int:
    """Run a sink; give the exit code."""
    options = _parser().parse_args(arguments)
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    sink = Sink(options.out)
    servers: dict[str, GrpcServer | HttpServer] = {
        "grpc": GrpcServer(sink, options.grpc),
        "http": HttpServer(sink, options.http),
    }
    try:
        for server in servers.values():
            server.start()
    except (OSError, RuntimeError) as error:
        print(f"sink: cannot listen: {error}", file=sys.stderr)  # noqa: T201  (a command's output)
        return 1
    _say({name: server.address for name, server in servers.items()})
    signal.sigwait(stop_signals)
    for server in servers.values():
        server.stop()
    sink.close()
    _say(sink.counts())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sidecar.sink", description=__doc__)
    parser.add_argument("--grpc", default="127.0.0.1:0", metavar="HOST:PORT", help="OTLP over gRPC (port 0: any)")
    parser.add_argument("--http", default="127.0.0.1:0", metavar="HOST:PORT", help="OTLP over HTTP (port 0: any)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="one request in OTLP/JSON a line is appended here")
    return parser


def _say(data: object) -> None:
    print(orjson.dumps(data).decode(), flush=True)  # noqa: T201  (a command's output)


if __name__ == "__main__":
    sys.exit(main())
