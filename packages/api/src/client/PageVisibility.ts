/** Whether anybody can see the page. */
export interface PageVisibility {
  readonly isHidden: () => boolean
  /** The returned function ends it. */
  readonly onChange: (listener: () => void) => () => void
}

/** The document's, where there is one. Without one there is nothing to hide: a server watches as long as it wants. */
export const documentVisibility = (): PageVisibility => {
  const { document }: Partial<typeof globalThis> = globalThis
  return {
    isHidden: () => document?.visibilityState === "hidden",
    onChange: (listener) => {
      document?.addEventListener("visibilitychange", listener)
      return () => document?.removeEventListener("visibilitychange", listener)
    }
  }
}
