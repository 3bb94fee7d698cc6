# Quarkline on a CPU: docker build --tag quarkline . && docker run --rm --volume "$PWD:/work" quarkline run upsilon.yaml
FROM python:3.11-slim

# LightGBM's OpenMP runtime, which the slim image lacks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/quarkline
COPY constraints constraints
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement constraints/run.txt
# PyPI's torch for Linux on x86-64 brings CUDA; give the index of CPU builds to leave it out:
# docker build --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir --constraint constraints/versions.txt torch

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && pip check

RUN useradd --create-home quarkline
USER quarkline
ENV MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
ENTRYPOINT ["quarkline"]
CMD ["--help"]
