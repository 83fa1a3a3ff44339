# bio-sync for machines without Python. In a page repository, as yourself, so that the files it writes are yours:
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/pages" --env XQR_API_KEY bio-sync plan
#
# The base is named by its tag: its digest changes with every security fix of Debian and Python, and one written down
# here would keep what they have fixed. What is added to it is locked by hashes.

FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements/build.txt requirements/demo.txt requirements/
RUN python -m venv --without-pip /opt/bio-sync \
  && python -m pip --python /opt/bio-sync/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement requirements/demo.txt \
  && python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --require-hashes --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas/
COPY examples examples/
COPY bio_sync bio_sync/
RUN python -m hatchling build --target wheel --directory wheel \
  && python -m pip --python /opt/bio-sync/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-index wheel/*.whl

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="bio-sync" \
  org.opencontainers.image.source="https://github.com/bio-sync/bio-sync" \
  org.opencontainers.image.licenses="MIT"
# For `plan --base`. A mounted repository belongs to somebody else than the user in here, and git would not read it.
# Its version is not named: Debian keeps the newest only, and any other could not be installed.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends git \
  && rm -rf /var/lib/apt/lists/* \
  && git config --system --add safe.directory /pages
COPY --from=build /opt/bio-sync /opt/bio-sync
# Nothing that lies in a repository is taken for a module of Python's or ours.
ENV PATH=/opt/bio-sync/bin:$PATH PYTHONSAFEPATH=1
WORKDIR /pages
USER 10001:10001
ENTRYPOINT ["bio-sync"]
CMD ["--help"]
