# workerd on one machine, for `npm run edge:workerd` and the tests; Cloudflare reads wrangler.jsonc.
#
# The address to listen on and the address of Redis come with the command:
#
#     workerd serve workerd.capnp redis --socket-addr=http=HOST:PORT --external-addr=redis=HOST:PORT
#     workerd serve workerd.capnp rest --socket-addr=http=HOST:PORT --external-addr=rest=HOST:PORT
#     workerd serve workerd.capnp tls --socket-addr=http=HOST:PORT
#
# With the first two the way out of the worker is that one address and nothing else: whatever it dials, it gets Redis. The third is
# for rediss:// and https://, which workerd can only give a network for. With AUTH_JWKS_URL the worker gets a service that leads to the
# host of the keys besides: --external-addr=keys=HOST:PORT, or keys-over-tls. Without it they lead to a port that is closed.

using Workerd = import "/workerd/workerd.capnp";

const redis :Workerd.Config = (
  services = [
    (name = "edge", worker = .edgeOverRedis),
    (name = "redis", external = (tcp = ())),
    .keys,
    .keysOverTls,
  ],
  sockets = [(name = "http", http = (), service = "edge")],
  v8Flags = .memory,
);

const rest :Workerd.Config = (
  services = [
    (name = "edge", worker = .edgeOverRest),
    (name = "rest", external = (http = ())),
    .keys,
    .keysOverTls,
  ],
  sockets = [(name = "http", http = (), service = "edge")],
  v8Flags = .memory,
);

const tls :Workerd.Config = (
  services = [
    (name = "edge", worker = .edgeOverTls),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    .keys,
    .keysOverTls,
  ],
  sockets = [(name = "http", http = (), service = "edge")],
  v8Flags = .memory,
);

const closedPort :Text = "127.0.0.1:1";

const keys :Workerd.Service = (name = "keys", external = (address = .closedPort, http = ()));

const keysOverTls :Workerd.Service = (
  name = "keys-over-tls",
  external = (address = .closedPort, https = (options = (), tlsOptions = (trustBrowserCas = true))),
);

const edgeOverRedis :Workerd.Worker = (
  modules = .modules,
  compatibilityDate = .compatibilityDate,
  bindings = .bindings,
  durableObjectNamespaces = .namespaces,
  durableObjectStorage = (inMemory = void),
  globalOutbound = "redis",
);

const edgeOverRest :Workerd.Worker = (
  modules = .modules,
  compatibilityDate = .compatibilityDate,
  bindings = .bindings,
  durableObjectNamespaces = .namespaces,
  durableObjectStorage = (inMemory = void),
  globalOutbound = "rest",
);

const edgeOverTls :Workerd.Worker = (
  modules = .modules,
  compatibilityDate = .compatibilityDate,
  bindings = .bindings,
  durableObjectNamespaces = .namespaces,
  durableObjectStorage = (inMemory = void),
  globalOutbound = "network",
);

const modules :List(Workerd.Worker.Module) = [(name = "workerd.js", esModule = embed "dist/edge/workerd.js")];

# An isolate has 128 MB on Cloudflare. Without a limit V8 lets the rests of requests lie until there are hundreds of megabytes of them.
const memory :List(Text) = ["--max-old-space-size=96", "--max-semi-space-size=8"];

# The same as in wrangler.jsonc.
const compatibilityDate :Text = "2026-10-01";

const namespaces :List(Workerd.Worker.DurableObjectNamespace) = [
  (className = "EdgeObject", uniqueKey = "edge-object", preventEviction = true),
];

const bindings :List(Workerd.Worker.Binding) = [
  (name = "EDGE_OBJECT", durableObjectNamespace = "EdgeObject"),
  (name = "KEYS", service = "keys"),
  (name = "KEYS_OVER_TLS", service = "keys-over-tls"),
  (name = "REDIS_URL", fromEnvironment = "REDIS_URL"),
  (name = "REDIS_REST_URL", fromEnvironment = "REDIS_REST_URL"),
  (name = "REDIS_REST_TOKEN", fromEnvironment = "REDIS_REST_TOKEN"),
  (name = "AUTH_JWT_SECRET", fromEnvironment = "AUTH_JWT_SECRET"),
  (name = "AUTH_JWT_SECRET_PREVIOUS", fromEnvironment = "AUTH_JWT_SECRET_PREVIOUS"),
  (name = "AUTH_PUBLIC_KEY", fromEnvironment = "AUTH_PUBLIC_KEY"),
  (name = "AUTH_PUBLIC_KEY_PREVIOUS", fromEnvironment = "AUTH_PUBLIC_KEY_PREVIOUS"),
  (name = "AUTH_JWKS_URL", fromEnvironment = "AUTH_JWKS_URL"),
  (name = "AUTH_JWT_AUDIENCE", fromEnvironment = "AUTH_JWT_AUDIENCE"),
  (name = "CORS_ALLOWED_ORIGINS", fromEnvironment = "CORS_ALLOWED_ORIGINS"),
  (name = "ACCESS_LOG", fromEnvironment = "ACCESS_LOG"),
  (name = "RATE_LIMIT_PER_TOKEN", fromEnvironment = "RATE_LIMIT_PER_TOKEN"),
  (name = "RATE_LIMIT_PER_TENANT", fromEnvironment = "RATE_LIMIT_PER_TENANT"),
  (name = "EVENT_STREAMS_PER_TOKEN", fromEnvironment = "EVENT_STREAMS_PER_TOKEN"),
  (name = "EVENT_STREAMS_PER_TENANT", fromEnvironment = "EVENT_STREAMS_PER_TENANT"),
];
