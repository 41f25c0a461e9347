import { Schema } from "effect"

/** A program that the encoder is made of is missing. Retrying helps only after it has been installed. */
export class EncoderUnavailable extends Schema.TaggedError<EncoderUnavailable>()("EncoderUnavailable", {
  program: Schema.String
}) {
  override get message(): string {
    return (
      `Cannot run "${this.program}": it is not on PATH; install it with "apt-get install ffmpeg" (Debian, Ubuntu), ` +
      `"brew install ffmpeg" (macOS) or from https://ffmpeg.org/download.html`
    )
  }
}
