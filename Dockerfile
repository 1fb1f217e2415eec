# One image per program:
#   docker build --build-arg SERVICE=fetcher -t mailyard/fetcher .
# SERVICE: fetcher, classifier, persister, disposer, admin or mailyard.
FROM golang:1.26 AS build
ENV GOWORK=off CGO_ENABLED=0
WORKDIR /src
# The modules change less often than the code, so they are a layer of their own.
COPY schemas/go.mod schemas/go.sum schemas/
COPY pkg/go.mod pkg/go.sum pkg/
COPY services/go.mod services/go.sum services/
RUN cd services && go mod download
COPY schemas schemas
COPY pkg pkg
COPY services services
# Compiled once for the images of all programs; what follows only links.
RUN cd services && go build -trimpath ./*/cmd/*
ARG SERVICE
ARG VERSION=devel
RUN test -n "$SERVICE" || { echo 'name the program: --build-arg SERVICE=fetcher' >&2; exit 1; }
RUN cd services && go build -trimpath \
      -ldflags "-s -w -X github.com/mailyard/mailyard/pkg/process.built=$VERSION" \
      -o /image/service ./$SERVICE/cmd/$SERVICE
# What a volume that is mounted there begins with.
RUN mkdir /image/data && chmod 700 /image/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /image /
ENV MAILYARD_DATA=/data
USER 65532:65532
ENTRYPOINT ["/service"]
