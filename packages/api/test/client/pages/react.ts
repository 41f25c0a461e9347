import { useProgress } from "@lectern/api/client/react"
import { client, startPage } from "./doorPage.ts"

startPage((subject) => useProgress(client, subject).snapshot)
