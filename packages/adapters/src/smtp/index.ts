/** E-mail by SMTP. */
export { makeMessageProviderSmtp, type MessageProviderSmtpOptions } from "./MessageProviderSmtp.ts"
export type { SmtpServer } from "./SmtpSession.ts"
