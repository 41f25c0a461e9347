/** What a text says as JSON; throws for one that is none. */
export const jsonOf = (text: string): unknown => {
  // oxlint-disable-next-line no-restricted-properties -- the client's one place that parses; its result is unknown
  const value: unknown = JSON.parse(text)
  return value
}
