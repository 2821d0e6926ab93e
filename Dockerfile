# The site in a small image: ONNX Runtime and a trained version, no TensorFlow.

FROM python:3.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/serve.txt /tmp/serve.txt
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/serve.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
# PYTHONDONTWRITEBYTECODE: the root file system may be read-only, and all bytecode is made below.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DEBUG=false \
    CATSDOGS_MODELS=var/models \
    HOST=0.0.0.0 \
    PORT=8000
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin catsdogs
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# Collected once, here; the key is needed to start Django and is used for nothing else.
RUN SECRET_KEY=build CATSDOGS_VAR=collected CATSDOGS_MODELS=models python manage.py collectstatic --noinput \
    && python -m compileall -q . \
    && install --directory --owner=catsdogs --group=catsdogs var
USER catsdogs
VOLUME /app/var
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://localhost:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["docker/entrypoint.sh"]
CMD ["python", "-m", "gunicorn"]
