import * as Schema from "effect/Schema"

/** How a message travels: as a short or a long text, as a template of KakaoTalk, or as e-mail. */
export const MessageMode = Schema.Literals(["sms", "lms", "alimtalk", "email"])
export type MessageMode = typeof MessageMode.Type

/** What a recipient is reached by, and therefore which provider sends. */
export type MessageChannel = "phone" | "email"

export const channelOf = (mode: MessageMode): MessageChannel => mode === "email" ? "email" : "phone"
