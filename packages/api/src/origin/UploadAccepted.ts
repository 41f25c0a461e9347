import { Schema } from "effect"
import { VideoView } from "./VideoView.ts"
import { WatchTokenField } from "./WatchTokenField.ts"

export const UploadAccepted = Schema.Struct({ ...VideoView.fields, ...WatchTokenField }).annotate({
  identifier: "UploadAccepted"
})
export type UploadAccepted = typeof UploadAccepted.Type
