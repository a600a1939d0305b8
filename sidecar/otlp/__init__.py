"""OTLP between the wire and the rest: protobuf and OTLP/JSON in, plain values and OTLP/JSON out."""
