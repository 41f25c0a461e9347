/** The edge that a page asks; all of it is put in by the bundler. */
declare const edgeUrl: string
declare const edgeToken: string
declare const hasEvents: boolean

export const edge = { baseUrl: edgeUrl, token: edgeToken, events: hasEvents }
