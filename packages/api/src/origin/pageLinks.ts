import { pageSize } from "./OriginApi.ts"

export interface PageLinks {
  readonly next: string | null
  readonly previous: string | null
}

/** Addresses of the neighbouring pages, as absolute as `url` is; `null` where there is none. */
export const pageLinks = (list: {
  readonly url: string
  readonly page: number
  readonly search: string
  readonly count: number
}): PageLinks => {
  const link = (page: number): string => {
    const query = new URLSearchParams({ page: String(page), ...(list.search === "" ? {} : { search: list.search }) })
    return `${list.url.split("?")[0] ?? ""}?${query.toString()}`
  }
  const pages = Math.ceil(list.count / pageSize)
  return {
    next: list.page < pages ? link(list.page + 1) : null,
    // From beyond the end, back to the last page that has something.
    previous: list.page > 1 && pages > 0 ? link(Math.min(list.page - 1, pages)) : null
  }
}
