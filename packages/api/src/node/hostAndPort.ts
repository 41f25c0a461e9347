/** `host:port`, with brackets around a host that is an IPv6 address. */
export const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
