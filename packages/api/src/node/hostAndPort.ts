/** `host:port`, with brackets around a host that is an IPv6 address. */
export const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** `host:port` of an address of the web, its port written out. */
export const urlAddress = (address: string): string => {
  const { hostname, port, protocol } = new URL(address)
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`
}
