import { assert, describe, it } from "@effect/vitest"
import { containerSignature } from "../../src/encoder/ContainerSignature.ts"

const text = (content: string) => new TextEncoder().encode(content)

const refusal = (bytes: Uint8Array) => {
  const signature = containerSignature(bytes)
  return signature._tag === "Refused" ? signature.code : signature.demuxers
}

describe("containerSignature", () => {
  it("opens a container only as what its first bytes say", () => {
    assert.strictEqual(refusal(text("\0\0\0\x20ftypisom\0\0\x02\0isomiso2")), "mov")
    assert.strictEqual(refusal(new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 0x9f])), "matroska,webm")
    assert.strictEqual(refusal(text("RIFF\0\0\0\0AVI LIST")), "avi")
    assert.strictEqual(refusal(text("OggS\0\x02")), "ogg")
    assert.strictEqual(refusal(new Uint8Array(600).map((_, index) => (index % 188 === 0 ? 0x47 : 0x80))), "mpegts")
  })

  it("calls a playlist a playlist behind blanks, a byte order mark and an XML declaration", () => {
    assert.strictEqual(refusal(text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")), "playlist")
    assert.strictEqual(refusal(text("\uFEFF\n  #extm3u\n")), "playlist")
    assert.strictEqual(refusal(text("ffconcat version 1.0\nfile /etc/passwd\n")), "playlist")
    assert.strictEqual(refusal(text('<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">')), "playlist")
  })

  it("tells pictures, archives, documents and texts apart from media", () => {
    assert.strictEqual(refusal(new Uint8Array([0xff, 0xd8, 0xff, 0xe0])), "image")
    assert.strictEqual(refusal(text("\0\0\0\x18ftypheic\0\0\0\0")), "image")
    assert.strictEqual(refusal(text("RIFF\0\0\0\0WEBPVP8 ")), "image")
    assert.strictEqual(refusal(text("PK\x03\x04")), "not_media")
    assert.strictEqual(refusal(text("%PDF-1.7")), "not_media")
    assert.strictEqual(refusal(text("안녕하세요, 수업 자료입니다")), "not_media")
    assert.strictEqual(refusal(new Uint8Array()), "empty")
    assert.strictEqual(refusal(new Uint8Array(4096)), "not_media")
  })
})
