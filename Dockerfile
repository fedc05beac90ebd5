# One image for API and worker, with the decisions compiled: docker build -t auto-enrichment .
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN make wheel
RUN python -m venv /app \
 && /app/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /app/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim-bookworm
COPY --from=build /app /app
RUN useradd --create-home --uid 1000 app && mkdir /data && chown app /data
USER app
WORKDIR /home/app
ENV PATH=/app/bin:$PATH AUTO_ENRICHMENT_HOST=0.0.0.0 AUTO_ENRICHMENT_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
# Of `serve`; a worker answers no requests, and is run without (see deploy/compose.yaml).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["auto-enrichment"]
CMD ["serve"]
