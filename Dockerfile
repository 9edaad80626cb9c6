# Build:  docker build -t sluice .
# Run:    docker run --rm --read-only --tmpfs /tmp -v "$PWD:/work:ro" sluice check
#
# No HEALTHCHECK: this is a command that ends. Every path in a RUN is relative to its WORKDIR, so that a test can run the
# same steps without Docker (test/packaging/docker.heavy.test.ts).

FROM golang:1.26-bookworm AS go

FROM node:24-bookworm AS build
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH
WORKDIR /src
COPY package.json package-lock.json ./
# The base image brings Node; without install scripts no second one is fetched, and no dependency runs code here.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/sluice
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
COPY --from=build /src/policies ./policies
COPY --from=build /src/examples ./examples
COPY --from=build /src/docs/licences.md ./docs/licences.md
COPY --from=build /src/toolchain/bin ./toolchain/bin
COPY --from=build /src/node_modules ./node_modules
# A number, so that a cluster can see that it is not root. HOME is where a run with `--tmpfs /tmp` may write its caches.
USER 10001:10001
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["node", "/opt/sluice/bin/sluice.cjs"]
CMD ["--help"]
