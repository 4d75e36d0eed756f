# One image per service, each with its own dependencies alone: docker build --target api|worker|simulator .
# The command line is in the api's: docker exec CONTAINER relay status.
# Behind a private registry or proxy: --secret id=npmrc,src=$HOME/.npmrc --secret id=ca,src=ca.pem.
# Non-root, nothing is written to the root file system, no package manager is run at start.

# The newest patches by default; a release names its digest: docs/guide/deployment.md.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /relay
COPY package.json package-lock.json ./
COPY shared/package.json shared/
COPY services/api/package.json services/api/
COPY services/worker/package.json services/worker/
COPY services/simulator/package.json services/simulator/
COPY cli/package.json cli/
COPY bench/package.json bench/
COPY test/package.json test/
COPY tools/package.json tools/

FROM manifests AS build
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
  NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
  -w @relay/shared -w @relay/api -w @relay/worker -w @relay/simulator -w @relay/cli
COPY tsconfig.base.json ./
COPY shared shared
COPY services services
COPY cli cli
RUN npx tsc -b services/api services/worker services/simulator cli

# What runs: production dependencies only. No install script is needed at run time. TypeScript comes
# along as an optional peer of a dependency; nothing runs it.
FROM manifests AS worker-dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
  NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  -w @relay/shared -w @relay/worker \
  && rm -rf node_modules/typescript node_modules/.bin

FROM manifests AS simulator-dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
  NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  -w @relay/shared -w @relay/simulator \
  && rm -rf node_modules/typescript node_modules/.bin

FROM manifests AS api-dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
  NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  -w @relay/shared -w @relay/api -w @relay/cli \
  && rm -rf node_modules/typescript node_modules/.bin

FROM ${NODE_IMAGE} AS runtime
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="relay" \
  org.opencontainers.image.description="Intake and delivery to the MoEngage Data API" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /relay
COPY --from=build /relay/shared/dist shared/dist
COPY shared/lua shared/lua
USER node

FROM runtime AS worker
ENV OPS_PORT=9465
COPY --from=worker-dependencies /relay /relay
COPY --from=build /relay/services/worker/dist services/worker/dist
EXPOSE 9465
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || 9465}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "services/worker/dist/main.js"]

FROM runtime AS simulator
ENV PORT=9400 SIM_HOST=0.0.0.0
COPY --from=simulator-dependencies /relay /relay
COPY --from=build /relay/services/simulator/dist services/simulator/dist
EXPOSE 9400
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 9400}/control`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "services/simulator/dist/main.js"]

FROM runtime AS api
ENV PORT=8080 OPS_PORT=9464 PATH=/relay/cli/bin:$PATH
COPY --from=api-dependencies /relay /relay
COPY --from=build /relay/cli/dist cli/dist
COPY cli/bin/relay.mjs cli/bin/relay
COPY --from=build /relay/services/api/dist services/api/dist
COPY services/api/console services/api/console
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || 9464}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "services/api/dist/main.js"]
