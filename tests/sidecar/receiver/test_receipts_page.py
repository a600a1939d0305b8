"""docs/receipts.md: the example is run, against a receiver."""

import re
from pathlib import Path

import orjson

from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb

PAGE = Path(__file__).resolve().parents[3] / "docs" / "receipts.md"


def test_the_receipt_of_the_page_reaches_the_journal(world):
    code = re.search(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE).group(1)
    assert "localhost:4317" in code
    exec(compile(code.replace("localhost:4317", world.grpc.address), str(PAGE), "exec"), {})
    (frame,) = world.frames()
    (receipt,) = pb.SubmitReceiptsRequest.FromString(frame.body).receipts
    assert (receipt.kind, orjson.loads(receipt.body_json)["decision"]) == ("policy_decision", "allow")
    assert receipt.time_unix_nano > 0
