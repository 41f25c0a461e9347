/**
 * The origin: uploads, details, retry, deletion, imports and health. It reads and writes the database; progress is the
 * edge's.
 */
export { Authorization, CurrentPrincipal } from "./Authorization.ts"
export { DocumentedApi, OriginApi } from "./OriginApi.ts"
export { CurrentMessagingTerms, type MessagingTerms } from "./MessagingHandlers.ts"
export { OriginHandler, type OriginHandlerOptions, type OriginServices } from "./OriginHandler.ts"
export {
  BadRequest,
  Conflict,
  ContentTooLarge,
  Forbidden,
  NotFound,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  UnsupportedMediaType
} from "./Refusal.ts"
export { serveOrigin, ServeOriginFailed, type ServeOriginOptions, type ServedOrigin } from "./serveOrigin.ts"
