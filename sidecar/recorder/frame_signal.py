"""The signals of journal frames beyond OTLP's own: receipts and requests about runs, which are as durable as telemetry."""

RECEIPTS = 16
"""A serialized SubmitReceiptsRequest."""
OPEN_RUN = 17
"""A serialized OpenRunRequest."""
CLOSE_RUN = 18
"""A serialized CloseRunRequest."""
SEAL_RUN = 19
"""A serialized SealRunRequest."""
