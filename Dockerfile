# syntax=docker/dockerfile:1
ARG NODE=node:24-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/patch-postgres.js scripts/
RUN --mount=type=cache,target=/root/.npm npm ci
COPY tsconfig.json ./
COPY src src
RUN npm run build

FROM ${NODE} AS production
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
COPY scripts/patch-postgres.js scripts/
# Development dependencies are left out, and with them the embedded PostgreSQL: DATABASE_URL is needed.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
COPY LICENSE ./
COPY data data
COPY drizzle drizzle
COPY public public
COPY --from=build /app/dist dist

ENV HOST=0.0.0.0 PORT=3000
EXPOSE 3000
# By number, so that Kubernetes can see that it is not root. Nothing in /app is theirs, and nothing is written.
USER 1000:1000
# Liveness, not readiness: a new container does not bring a database back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/cli/postern.js", "serve"]
