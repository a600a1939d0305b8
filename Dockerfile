# A slim image with the runtime dependencies alone. It is meant to run with a read-only root file system:
#   docker run --read-only --tmpfs /tmp -v affidavit:/var/lib/affidavit -p 4317:4317 -p 4318:4318 affidavit
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/affidavit \
 && /opt/affidavit/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY sidecar sidecar
COPY semconv semconv
COPY attest attest
COPY evidence evidence
COPY tests/corpus tests/corpus
RUN /opt/build/bin/python -m hatchling build -t wheel -d /tmp/wheel \
 && /opt/affidavit/bin/pip install --no-cache-dir --no-deps /tmp/wheel/*.whl \
 && /opt/affidavit/bin/pip uninstall --yes pip \
 && /opt/affidavit/bin/python -m compileall -q /opt/affidavit

FROM python:3.13-slim
RUN groupadd --gid 65532 affidavit \
 && useradd --uid 65532 --gid 65532 --home-dir /var/lib/affidavit --shell /usr/sbin/nologin affidavit \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/affidavit
COPY --from=build /opt/affidavit /opt/affidavit
ENV PATH=/opt/affidavit/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AFFIDAVIT_STATE_DIR=/var/lib/affidavit \
    AFFIDAVIT_RECEIVER__GRPC__ENDPOINT=0.0.0.0:4317 \
    AFFIDAVIT_RECEIVER__HTTP__ENDPOINT=0.0.0.0:4318
USER 65532:65532
WORKDIR /var/lib/affidavit
VOLUME /var/lib/affidavit
EXPOSE 4317 4318
# Ends runs in order: give it at least shutdown.grace_seconds (docker stop --time 30).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["affidavit", "health"]
ENTRYPOINT ["affidavit"]
CMD ["run"]
