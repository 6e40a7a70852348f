# The service with all bundles. `make image` builds it and prints its size; docker-compose.yml runs it.

FROM docker.io/library/python:3.11-slim-bookworm AS dependencies
COPY requirements/runtime.txt .
RUN python -m venv --without-pip /opt/textloom \
    && python -m pip --python /opt/textloom/bin/python install --no-cache-dir --quiet \
        --disable-pip-version-check --only-binary :all: --require-hashes -r runtime.txt
# A fifth of what was installed never runs here: tests, tools around ONNX Runtime, and the download client
# that tokenizers would use for models of others, and Babel's tables of all languages but English.
RUN cd /opt/textloom/lib/python3.11/site-packages \
    && rm -r huggingface_hub* hf_xet* onnxruntime/transformers onnxruntime/quantization onnxruntime/tools \
    && find babel/locale-data -name '*.dat' ! -name root.dat ! -name en.dat -delete \
    && find . -type d -name tests -prune -exec rm -r {} +

FROM docker.io/library/python:3.11-slim-bookworm
# glibc's malloc: two arenas instead of eight per core, and large blocks by mmap, so that what is freed returns to the
# system.
ENV PATH=/opt/textloom/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TEXTLOOM_HOST=0.0.0.0 \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TRIM_THRESHOLD_=1048576
WORKDIR /srv/textloom
COPY --from=dependencies /opt/textloom /opt/textloom
COPY service service
# Compiled here: the file system is read-only later, and every start would compile anew.
RUN python -m compileall -q service
COPY models models
# What installs others has nothing to do here.
RUN /usr/local/bin/python -m pip uninstall --quiet --yes --root-user-action ignore setuptools wheel pip
# The bill of materials, if `make sbom` has written it.
COPY LICENSE sbom.jso[n] ./
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 8000
# Health is at the second port if there is one.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
    "from os import environ; from urllib.request import urlopen; port = (environ.get('TEXTLOOM_ADMIN') or ':8000').rpartition(':')[2]; urlopen(f'http://127.0.0.1:{port}/health/ready', timeout=2)"]
CMD ["python", "-m", "service"]
