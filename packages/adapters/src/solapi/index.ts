/** Text messages and KakaoTalk templates by Solapi. */
export { makeMessageProviderSolapi, type MessageProviderSolapiOptions } from "./MessageProviderSolapi.ts"
