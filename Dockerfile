# One image for the whole system and for each of its services: `baton up`, or `baton up --only models`.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.base.json ./
COPY libs ./libs
COPY services ./services
COPY cli ./cli
COPY scripts/bundle.mjs ./scripts/
RUN npm ci && npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production BATON_HOST=0.0.0.0 BATON_PORT=8080 BATON_DATA_DIR=/var/lib/baton
COPY --from=build /app ./
COPY config ./config
COPY flows ./flows
COPY data ./data
# The embedded system writes here; a distributed service writes nothing.
RUN mkdir /var/lib/baton && chown node:node /var/lib/baton
VOLUME /var/lib/baton
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.BATON_PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "cli/bin/baton.mjs"]
CMD ["up"]
