FROM weir:dev AS handler
COPY probe.c ./
RUN weir cc probe.c -o probe.so

FROM weir
COPY --from=handler /src/probe.so /usr/lib/weir/handlers/
