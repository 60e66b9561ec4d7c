# weir as an image, in three kinds; each stands on Debian 13 (trixie):
#
#   docker build -t weir .                       run: weir, its libraries, nothing else
#   docker build --target slim -t weir:slim .    the same on Debian, with apt
#   docker build --target dev -t weir:dev .      slim and a compiler: `weir cc`
#
# --build-arg DEBIAN=bookworm: Debian 12. A handler is compiled in the dev image of the
# same Debian as the image that it runs in; examples/access_log/Dockerfile does it.
ARG DEBIAN=trixie

FROM debian:${DEBIAN}-slim AS build
WORKDIR /weir
COPY scripts/deps scripts/deps
RUN scripts/deps run build
COPY . .
RUN cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib \
    && cmake --build build/release --target weir \
    && DESTDIR=/made cmake --install build/release --strip \
    && deploy/image/collect /made /root-of-run

FROM debian:${DEBIAN}-slim AS slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="weir" \
      org.opencontainers.image.description="Moves messages from Kafka or AMQP through a handler written in C" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY scripts/deps /tmp/deps
RUN /tmp/deps run && rm -rf /tmp/deps /var/lib/apt/lists/* \
    && groupadd --gid 10001 weir \
    && useradd --uid 10001 --gid weir --home-dir /var/lib/weir --create-home \
        --shell /usr/sbin/nologin weir \
    && mkdir -p /etc/weir
COPY --from=build /made/usr/bin/weir /usr/bin/
COPY --from=build /made/usr/lib/ /usr/lib/
USER 10001:10001
WORKDIR /var/lib/weir
ENV WEIR_ADMIN=127.0.0.1:9464
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["weir", "health"]
ENTRYPOINT ["weir"]
CMD ["run", "/etc/weir/topology.yaml"]

FROM slim AS dev
USER root
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends gcc g++ libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /made/usr/include/ /usr/include/
WORKDIR /src
HEALTHCHECK NONE
CMD ["--help"]

FROM scratch AS run
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="weir" \
      org.opencontainers.image.description="Moves messages from Kafka or AMQP through a handler written in C" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /root-of-run/ /
USER 10001:10001
WORKDIR /var/lib/weir
ENV WEIR_ADMIN=127.0.0.1:9464
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["weir", "health"]
ENTRYPOINT ["weir"]
CMD ["run", "/etc/weir/topology.yaml"]
