"""Where telemetry and receipts come in: OTLP over gRPC and HTTP and the receipt service, over one admission."""
