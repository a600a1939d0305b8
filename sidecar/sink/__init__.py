"""An OTLP backend that keeps what it gets in a file: the other end of the demo, and of tests, which tell it how to fail."""
