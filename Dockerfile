# One image for the API (the default) and the worker: command ["node", "--max-semi-space-size=32", "dist/workers/main.js"].
FROM node:24.22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY ops ./ops
COPY src ./src
COPY workers ./workers
COPY web ./web
# The commit, since the image is built without .git: --build-arg BUILD_COMMIT=$(git rev-parse HEAD)
ARG BUILD_COMMIT
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24.22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/packages ./packages
# combined.log is written here: mount a volume to keep it, or set LOG_FILES=0 for standard output alone.
RUN mkdir logs && chown node:node logs
ARG BUILD_COMMIT
LABEL org.opencontainers.image.revision=$BUILD_COMMIT
USER node
EXPOSE 3001
STOPSIGNAL SIGTERM
# A worker answers on METRICS_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT || process.env.PORT || 3001}/livez`).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=32", "dist/src/api/main.js"]
