/**
 * The environment variables that the edge reads, all of them: `--allow-env` of Deno names these and no others, and workerd has a
 * binding for each. A test holds the list against what `readEdgeSettings` asks for.
 */
export const edgeVariables = [
  "HOST",
  "PORT",
  "REDIS_URL",
  "AUTH_JWT_SECRET",
  "AUTH_JWT_SECRET_PREVIOUS",
  "AUTH_PUBLIC_KEY",
  "AUTH_PUBLIC_KEY_PREVIOUS",
  "AUTH_JWKS_URL",
  "AUTH_JWT_AUDIENCE",
  "CORS_ALLOWED_ORIGINS",
  "ACCESS_LOG",
  "RATE_LIMIT_PER_TOKEN",
  "RATE_LIMIT_PER_TENANT",
  "EVENT_STREAMS_PER_TOKEN",
  "EVENT_STREAMS_PER_TENANT"
] as const

/** What workerd reads besides: a Redis that is spoken to over HTTP, in place of `REDIS_URL`. */
export const restVariables = ["REDIS_REST_URL", "REDIS_REST_TOKEN"] as const
