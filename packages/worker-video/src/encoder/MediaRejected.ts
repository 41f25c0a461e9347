import { Schema } from "effect"

/** Why a file can never be encoded. Part of the stored result of a job: codes are added, never renamed. */
export const MediaRejectedCode = Schema.Literals([
  "empty",
  "not_a_file",
  "not_media",
  "playlist",
  "image",
  "truncated",
  "unreadable",
  "damaged",
  "no_streams",
  "too_many_streams",
  "dimensions",
  "frame_rate",
  "duration",
  "too_large",
  "external_reference"
])
export type MediaRejectedCode = typeof MediaRejectedCode.Type

const sentences: { readonly [code in MediaRejectedCode]: { readonly ko: string; readonly en: string } } = {
  empty: {
    ko: "파일이 비어 있습니다. 원본을 확인한 뒤 다시 올려 주세요",
    en: "The file is empty; check the original and upload it again"
  },
  not_a_file: {
    ko: "일반 파일이 아니어서 읽을 수 없습니다",
    en: "This is not a regular file and cannot be read"
  },
  not_media: {
    ko: "동영상이나 음성 파일이 아닙니다. 확장자만 바꾼 파일이 아닌지 확인해 주세요",
    en: "This is neither a video nor an audio file; a different file may have been given a video's extension"
  },
  playlist: {
    ko: "재생 목록 파일은 올릴 수 없습니다. 동영상 파일 자체를 올려 주세요",
    en: "Playlists are not accepted; upload the video file itself"
  },
  image: {
    ko: "사진 파일은 올릴 수 없습니다. 동영상 파일을 올려 주세요",
    en: "Pictures are not accepted; upload a video file"
  },
  truncated: {
    ko: "파일이 끝까지 저장되거나 올라오지 않았습니다. 원본이 처음부터 끝까지 재생되는지 확인한 뒤 다시 올려 주세요",
    en: "The file is incomplete; check that the original plays to its end and upload it again"
  },
  unreadable: {
    ko: "파일의 구조가 손상되어 열 수 없습니다. 다른 형식(MP4)으로 저장해 다시 올려 주세요",
    en: "The file's structure is broken and it cannot be opened; save it again as MP4 and upload that"
  },
  damaged: {
    ko: "영상 내용이 손상되어 변환할 수 없습니다. 원본을 확인한 뒤 다시 올려 주세요",
    en: "The content is damaged and cannot be decoded; check the original and upload it again"
  },
  no_streams: {
    ko: "파일 안에 재생할 수 있는 영상이나 소리가 없습니다",
    en: "The file has neither a picture nor a sound that can be played"
  },
  too_many_streams: {
    ko: "파일 안에 영상, 소리, 자막 트랙이 너무 많습니다",
    en: "The file has too many tracks"
  },
  dimensions: {
    ko: "영상의 가로 또는 세로 크기를 지원하지 않습니다",
    en: "The picture's width or height is not supported"
  },
  frame_rate: {
    ko: "영상의 초당 프레임 수를 지원하지 않습니다",
    en: "The video's frame rate is not supported"
  },
  duration: {
    ko: "영상의 길이를 지원하지 않습니다",
    en: "The video's length is not supported"
  },
  too_large: {
    ko: "파일이 너무 큽니다. 50 GB보다 작게 저장해 다시 올려 주세요",
    en: "The file is too large; save it with less than 50 GB and upload it again"
  },
  external_reference: {
    ko: "영상 내용이 다른 파일에 들어 있습니다. 편집 프로그램에서 하나의 파일로 저장해 다시 올려 주세요",
    en: "The content is in another file; save it as one file of its own and upload that"
  }
}

/**
 * The file itself is at fault: encoding it again gives the same answer, so it is never retried.
 *
 * `messageKo` and `messageEn` are for the person who uploaded it; `detail` (values, the program's own words) is for
 * the log. No field holds more of the file's content than ffprobe's own message.
 */
export class MediaRejected extends Schema.TaggedError<MediaRejected>()("MediaRejected", {
  code: MediaRejectedCode,
  detail: Schema.String,
  messageKo: Schema.String,
  messageEn: Schema.String
}) {
  /** Rejects for `code`, with the sentences that belong to it. */
  static because(code: MediaRejectedCode, detail: string): MediaRejected {
    return new MediaRejected({ code, detail, messageKo: sentences[code].ko, messageEn: sentences[code].en })
  }

  override get message(): string {
    return `Cannot accept media: ${this.code} (${this.detail})`
  }
}
