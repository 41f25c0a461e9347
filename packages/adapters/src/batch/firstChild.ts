/** Where a child stands in its array: its id is that of the array, a colon, and this. */
const indexOf = (childId: string): number => Number(childId.slice(childId.lastIndexOf(":") + 1))

/** The first of an array's children, by their ids; `null` where there is none. */
export const firstChild = (childIds: ReadonlyArray<string>): string | null =>
  childIds.toSorted((a, b) => indexOf(a) - indexOf(b))[0] ?? null
