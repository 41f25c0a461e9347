/** The end of a token's signature: it tells tokens apart, and nothing can be done with it. */
export const tokenName = (authorization: string): string => authorization.slice(-22)
