# Two images from one build: `service` (target service, the default) and the REST edge in front of it (target edge).

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY buf.yaml buf.gen.yaml tsconfig.json tsconfig.build.json envoy.yaml ./
COPY proto proto
COPY scripts scripts
COPY deploy deploy
COPY src src
RUN npm run build
# Only addresses differ from the configuration that `npm start` and the tests use.
ARG SERVICE_HOST=service
ARG SERVICE_PORT=50051
# Files of certificates, where they are mounted at run time; see deploy/README.md. Empty means without TLS.
ARG EDGE_TLS_CERT= EDGE_TLS_KEY= UPSTREAM_TLS_CA= UPSTREAM_TLS_NAME= UPSTREAM_TLS_CERT= UPSTREAM_TLS_KEY=
RUN export REST_HOST=0.0.0.0 REST_PORT=8080 SERVICE_DISCOVERY=STRICT_DNS EDGE_SECRETS=/etc/envoy/secrets \
      GRPC_HOST="$SERVICE_HOST" GRPC_PORT="$SERVICE_PORT" DESCRIPTOR=/etc/envoy/descriptor.binpb; \
    node scripts/render-envoy.mjs > edge.yaml && node scripts/render-envoy.mjs --secrets edge-secrets
RUN npm prune --omit=dev --no-audit --no-fund

FROM envoyproxy/envoy:distroless-v1.40.0 AS edge
COPY --from=build /app/edge.yaml /etc/envoy/envoy.yaml
COPY --from=build /app/edge-secrets /etc/envoy/secrets
COPY --from=build /app/dist/gen/descriptor.binpb /etc/envoy/descriptor.binpb
USER 65532:65532
EXPOSE 8080
CMD ["-c", "/etc/envoy/envoy.yaml", "--disable-hot-restart", "-l", "warning"]

FROM node:24-slim AS service
WORKDIR /app
ENV NODE_ENV=production GRPC_HOST=0.0.0.0 GRPC_PORT=50051
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/scripts/launch/wait.mjs scripts/launch/wait.mjs
COPY --from=build /app/deploy/healthcheck.mjs deploy/healthcheck.mjs
# node of the base image, by number so that a cluster can see that it is not root
USER 1000:1000
EXPOSE 50051
# The start period covers a database that comes up at the same time.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
CMD ["node", "dist/main.js"]
