import { progressQueryOptions } from "@lectern/api/client/tanstack-query"
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { createElement } from "react"
import { client, startPage } from "./doorPage.ts"

const queries = new QueryClient()

startPage(
  (subject) => useQuery(progressQueryOptions(client, subject)).data ?? null,
  (bars) => createElement(QueryClientProvider, { client: queries }, bars)
)
